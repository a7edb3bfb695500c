"""Who may do what: the answer to everybody at every route, page and action. `docs/permissions.md` is made from it.

A number is the status, and says that nothing was changed: no row of any table, no stored file. With `*` behind it,
something was changed; with a refusal that is the answer itself, kept under its Idempotency-Key. `login` leads to the
console's sign-in. Every route is asked about things of the owner's (`world.py`), with a request that serves whoever
may (`requests.py`, `console_requests.py`). A route without a row fails `test_permissions.py`, and a row without a
route too.
"""

# `METHOD /route`, or `METHOD /route, what is special about it`. `owner` and `other` are creators, `user` is neither.
# Methods without a row, HEAD and OPTIONS have one rule for all routes, in test_permissions.py.
API = """
                                                             anonymous  user owner other support reviewer finance admin
GET /                                                              200   200   200   200     200      200     200   200
GET /admin                                                         302   302   302   302     302      302     302   302
POST /admin                                                        302   302   302   302     302      302     302   302
GET /health/live                                                   200   200   200   200     200      200     200   200
GET /health/ready                                                  200   200   200   200     200      200     200   200
GET /metrics                                                       404   404   404   404     404      404     404   404
GET /api/schema                                                    200   200   200   200     200      200     200   200
GET /api/docs                                                      200   200   200   200     200      200     200   200
GET /files/{path}                                                  200   200   200   200     200      200     200   200
POST /files/{path}                                                 405   405   405   405     405      405     405   405
POST /auth/change-password                                         401  200*  200*  200*    200*     200*    200*  200*
POST /auth/delete-account                                         204*  204*  204*  204*    204*     204*    204*  204*
POST /auth/forgot-password                                        200*  200*  200*  200*    200*     200*    200*  200*
GET /auth/google                                                  302*  302*  302*  302*    302*     302*    302*  302*
GET /auth/google/callback                                          302   302   302   302     302      302     302   302
POST /auth/google/exchange                                        200*  200*  200*  200*    200*     200*    200*  200*
POST /auth/login                                                  200*  200*  200*  200*    200*     200*    200*  200*
POST /auth/login/second-factor                                    200*  200*  200*  200*    200*     200*    200*  200*
POST /auth/logout                                                  401  204*  204*  204*    204*     204*    204*  204*
GET /auth/me                                                       401   200   200   200     200      200     200   200
PATCH /auth/me                                                     401  200*  200*  200*    200*     200*    200*  200*
POST /auth/me/delete                                               401  202*   409   409     409      409     409   409
POST /auth/me/export                                               401  200*  200*  200*    200*     200*    200*  200*
POST /auth/refresh                                                 401  200*  200*  200*    200*     200*    200*  200*
POST /auth/register                                               201*  201*  201*  201*    201*     201*    201*  201*
POST /auth/reset-password                                         200*  200*  200*  200*    200*     200*    200*  200*
GET /auth/second-factor                                            401   200   200   200     200      200     200   200
POST /auth/second-factor/totp                                      401  201*  201*  201*    201*     201*    201*  201*
DELETE /auth/second-factor/totp                                    401  204*  204*  204*    204*     204*    204*  204*
POST /auth/second-factor/totp/confirm                              401  200*  200*  200*    200*     200*    200*  200*
POST /auth/second-factor/recovery-codes                            401  200*  200*  200*    200*     200*    200*  200*
GET /auth/sessions                                                 401   200   200   200     200      200     200   200
DELETE /auth/sessions/{session_id}                                 401   404  204*   404     404      404     404   404
POST /auth/verify-email                                           200*  200*  200*  200*    200*     200*    200*  200*
POST /auth/verify-email/resend                                     401  202*  202*  202*    202*     202*    202*  202*
GET /api/courses                                                   200   200   200   200     200      200     200   200
POST /api/courses                                                  401  201*  201*  201*    201*     201*    201*  201*
GET /api/courses/departments                                       200   200   200   200     200      200     200   200
GET /api/courses/departments/{department}/courses                  200   200   200   200     200      200     200   200
GET /api/courses/mine                                              401   200   200   200     200      200     200   200
GET /api/courses/my-enrollments                                    401   200   200   200     200      200     200   200
GET /api/courses/passes                                            200   200   200   200     200      200     200   200
GET /api/courses/search                                            200   200   200   200     200      200     200   200
GET /api/courses/{course}                                          200   200   200   200     200      200     200   200
PATCH /api/courses/{course}                                        401   404  200*   404     404      404     404   404
DELETE /api/courses/{course}                                       401   404  204*   404     404      404     404   404
GET /api/courses/{course}, a draft                                 404   404   200   404     404      404     404   404
DELETE /api/courses/{course}, a draft                              401   404  204*   404     404      404     404   404
PUT /api/courses/{course}/image                                    401   404  200*   404     404      404     404   404
DELETE /api/courses/{course}/image                                 401   404  204*   404     404      404     404   404
POST /api/courses/{course}/publish                                 401   404  200*   404     404      404     404   404
POST /api/courses/{course}/purchase                                401  201*  201*  201*    201*     201*    201*  201*
POST /api/courses/{course}/withdraw                                401   404  200*   404     404      404     404   404
GET /api/payments                                                  401   200   200   200     200      200     200   200
GET /api/payments/access                                           401   200   200   200     200      200     200   200
GET /api/payments/config                                           200   200   200   200     200      200     200   200
GET /api/payments/coupons                                          401   200   200   200     200      200     200   200
POST /api/payments/coupons                                         401  201*  201*  201*    201*     201*    201*  201*
GET /api/payments/coupons/{coupon_id}                              401   404   200   404     404      404     404   404
PATCH /api/payments/coupons/{coupon_id}                            401   404  200*   404     404      404     404   404
DELETE /api/payments/coupons/{coupon_id}                           401   404  204*   404     404      404     404   404
POST /api/payments/initialize                                      401  201*  201*  201*    201*     201*    201*  201*
POST /api/payments/quote                                           401   200   200   200     200      200     200   200
POST /api/payments/verify/{reference}                              200   200   200   200     200      200     200   200
GET /api/payments/{reference}                                      401   404   200   404     404      404     404   404
GET /api/payments/{reference}/refunds                              401   404   200   404     404      404     200   200
POST /api/payments/{reference}/refunds                             401  404*  201*  404*    404*     404*    201*  201*
GET /api/wallet/balance                                            401   200   200   200     200      200     200   200
GET /api/wallet/bank-accounts                                      401   200   200   200     200      200     200   200
POST /api/wallet/bank-accounts                                     401  201*  201*  201*    201*     201*    201*  201*
POST /api/wallet/bank-accounts/resolve                             401   422   422   422     422      422     422   422
DELETE /api/wallet/bank-accounts/{account_id}                      401   404  204*   404     404      404     404   404
GET /api/wallet/banks                                              401   200   200   200     200      200     200   200
POST /api/wallet/payout-accounts/stripe                            401   400   400   400     400      400     400   400
GET /api/wallet/transactions                                       401   200   200   200     200      200     200   200
GET /api/wallet/transactions/{pk}                                  401   404   200   404     404      404     404   404
POST /api/wallet/withdraw                                          401  404*  202*  404*    404*     404*    404*  404*
GET /api/wallet/withdrawals                                        401   200   200   200     200      200     200   200
GET /api/wallet/withdrawals/{withdrawal_id}                        401   404   200   404     404      404     404   404
POST /api/wallet/withdrawals/{withdrawal_id}/cancel                401   404  200*   404     404      404     404   404
POST /api/wallet/withdrawals/{withdrawal_id}/confirm               401   404  200*   404     404      404     404   404
POST /api/wallet/withdrawals/{withdrawal_id}/resend-code           401   404  200*   404     404      404     404   404
POST /api/webhook-deliveries/{delivery_id}/redeliver               401   404  202*   404     404      404     404   404
GET /api/webhook-endpoints                                         401   200   200   200     200      200     200   200
POST /api/webhook-endpoints                                        401  201*  201*  201*    201*     201*    201*  201*
GET /api/webhook-endpoints/{endpoint_id}                           401   404   200   404     404      404     404   404
PATCH /api/webhook-endpoints/{endpoint_id}                         401   404  200*   404     404      404     404   404
DELETE /api/webhook-endpoints/{endpoint_id}                        401   404  204*   404     404      404     404   404
GET /api/webhook-endpoints/{endpoint_id}/deliveries                401   404   200   404     404      404     404   404
POST /api/webhook-endpoints/{endpoint_id}/enable                   401   404  200*   404     404      404     404   404
POST /api/webhook-endpoints/{endpoint_id}/ping                     401   404  202*   404     404      404     404   404
POST /api/webhook-endpoints/{endpoint_id}/rotate-secret            401   404  200*   404     404      404     404   404
GET /api/webhook-events                                            401   200   200   200     200      200     200   200
GET /api/webhooks/paystack                                         405   405   405   405     405      405     405   405
POST /api/webhooks/paystack                                        401   401   401   401     401      401     401   401
POST /api/webhooks/paystack, signed                               200*  200*  200*  200*    200*     200*    200*  200*
GET /api/webhooks/stripe                                           405   405   405   405     405      405     405   405
POST /api/webhooks/stripe                                          401   401   401   401     401      401     401   401
POST /api/webhooks/stripe, signed                                 200*  200*  200*  200*    200*     200*    200*  200*
GET /api/admin/course-enrollments                                  401   403   403   403     200      403     403   200
POST /api/admin/course-enrollments                                 401   403   403   403    201*      403     403  201*
GET /api/admin/course-enrollments/export                           401   403   403   403    200*      403     403  200*
POST /api/admin/course-enrollments/mark-sent                       401   403   403   403    200*      403     403  200*
GET /api/admin/course-enrollments/stats                            401   403   403   403     200      403     403   200
GET /api/admin/course-enrollments/{enrollment}                     401   403   403   403     200      403     403   200
PATCH /api/admin/course-enrollments/{enrollment}/mark-sent         401   403   403   403    200*      403     403  200*
POST /api/admin/course-enrollments/{enrollment}/revoke             401   403   403   403    200*      403     403  200*
GET /api/admin/reviews                                             401   403   403   403     403      200     403   200
GET /api/admin/reviews/{review}                                    401   403   403   403     403      200     403   200
PATCH /api/admin/reviews/{review}                                  401   403   403   403     403     200*     403  200*
POST /api/admin/reviews/{review}/approve                           401   403   403   403     403     200*     403  200*
POST /api/admin/reviews/{review}/reject                            401   403   403   403     403     200*     403  200*
"""

# Pages of the console: `GET/POST`. `others`: anonymous, user, owner and other, who are all outside.
PAGES = """
                                                                       others   support  reviewer   finance     admin
/admin/                                                           login/login   200/200   200/200   200/200   200/200
/admin/accounts/                                                  login/login   200/200   200/200   200/200   200/200
/admin/accounts/user/                                             login/login   200/200   200/200   200/200   200/200
/admin/accounts/user/add/                                         login/login   403/403   403/403   403/403  200/302*
/admin/accounts/user/{id}/password/                               login/login   403/403   403/403   403/403  200/302*
/admin/accounts/user/{object_id}/                                 login/login   302/302   302/302   302/302   302/302
/admin/accounts/user/{object_id}/change/                          login/login   200/403   200/403   200/403  200/302*
/admin/accounts/user/{object_id}/delete/                          login/login   403/403   403/403   403/403   403/403
/admin/accounts/user/{object_id}/history/                         login/login   200/200   200/200   200/200   200/200
/admin/auth/                                                      login/login   404/404   404/404   404/404   200/200
/admin/auth/group/                                                login/login   403/403   403/403   403/403   200/200
/admin/auth/group/add/                                            login/login   403/403   403/403   403/403  200/302*
/admin/auth/group/{object_id}/                                    login/login   302/302   302/302   302/302   302/302
/admin/auth/group/{object_id}/change/                             login/login   403/403   403/403   403/403  200/302*
/admin/auth/group/{object_id}/delete/                             login/login   403/403   403/403   403/403   403/403
/admin/auth/group/{object_id}/history/                            login/login   403/403   403/403   403/403   200/200
/admin/autocomplete/                                              login/login   200/405   200/405   403/405   200/405
/admin/courses/                                                   login/login   200/200   200/200   404/404   200/200
/admin/courses/course/                                            login/login   200/200   200/200   403/403   200/200
/admin/courses/course/add/                                        login/login   403/403   403/403   403/403   403/403
/admin/courses/course/import/                                     login/login   403/403   403/403   403/403  200/200*
/admin/courses/course/{course_id}/prices/                         login/login   403/403  200/302*   403/403  200/302*
/admin/courses/course/{object_id}/                                login/login   302/302   302/302   302/302   302/302
/admin/courses/course/{object_id}/change/                         login/login   200/403  200/302*   403/403  200/302*
/admin/courses/course/{object_id}/delete/                         login/login   403/403   403/403   403/403   403/403
/admin/courses/course/{object_id}/history/                        login/login   200/200   200/200   403/403   200/200
/admin/courses/coursepass/                                        login/login   403/403   403/403   403/403   200/200
/admin/courses/coursepass/add/                                    login/login   403/403   403/403   403/403   403/403
/admin/courses/coursepass/{object_id}/                            login/login   302/302   302/302   302/302   302/302
/admin/courses/coursepass/{object_id}/change/                     login/login   403/403   403/403   403/403  200/302*
/admin/courses/coursepass/{object_id}/delete/                     login/login   403/403   403/403   403/403   403/403
/admin/courses/coursepass/{object_id}/history/                    login/login   403/403   403/403   403/403   200/200
/admin/courses/department/                                        login/login   200/200   200/200   403/403   200/200
/admin/courses/department/add/                                    login/login   403/403   403/403   403/403  200/302*
/admin/courses/department/{object_id}/                            login/login   302/302   302/302   302/302   302/302
/admin/courses/department/{object_id}/change/                     login/login   200/403   200/403   403/403  200/302*
/admin/courses/department/{object_id}/delete/                     login/login   403/403   403/403   403/403  200/302*
/admin/courses/department/{object_id}/history/                    login/login   200/200   200/200   403/403   200/200
/admin/courses/enrollment/                                        login/login   200/200   403/403   403/403   200/200
/admin/courses/enrollment/add/                                    login/login  200/302*   403/403   403/403  200/302*
/admin/courses/enrollment/{enrollment_id}/mark-sent/              login/login  200/302*   403/403   403/403  200/302*
/admin/courses/enrollment/{enrollment_id}/revoke/                 login/login  200/302*   403/403   403/403  200/302*
/admin/courses/enrollment/{object_id}/                            login/login   302/302   302/302   302/302   302/302
/admin/courses/enrollment/{object_id}/change/                     login/login   200/403   403/403   403/403   200/403
/admin/courses/enrollment/{object_id}/delete/                     login/login   403/403   403/403   403/403   403/403
/admin/courses/enrollment/{object_id}/history/                    login/login   200/200   403/403   403/403   200/200
/admin/django_celery_beat/                                        login/login   404/404   404/404   404/404   200/200
/admin/django_celery_beat/periodictask/                           login/login   403/403   403/403   403/403   200/200
/admin/django_celery_beat/periodictask/add/                       login/login   403/403   403/403   403/403   403/403
/admin/django_celery_beat/periodictask/{object_id}/               login/login   302/302   302/302   302/302   302/302
/admin/django_celery_beat/periodictask/{object_id}/change/        login/login   403/403   403/403   403/403   200/403
/admin/django_celery_beat/periodictask/{object_id}/delete/        login/login   403/403   403/403   403/403   403/403
/admin/django_celery_beat/periodictask/{object_id}/history/       login/login   403/403   403/403   403/403   200/200
/admin/jsi18n/                                                    login/login   200/405   200/405   200/405   200/405
/admin/login/                                                        200/302*  302/302*  302/302*  302/302*  302/302*
/admin/logout/                                                        302/302  405/200*  405/200*  405/200*  405/200*
/admin/outbound_webhooks/                                         login/login   404/404   404/404   404/404   200/200
/admin/outbound_webhooks/webhookdelivery/                         login/login   403/403   403/403   403/403   200/200
/admin/outbound_webhooks/webhookdelivery/add/                     login/login   403/403   403/403   403/403   403/403
/admin/outbound_webhooks/webhookdelivery/{object_id}/             login/login   302/302   302/302   302/302   302/302
/admin/outbound_webhooks/webhookdelivery/{object_id}/change/      login/login   403/403   403/403   403/403   200/403
/admin/outbound_webhooks/webhookdelivery/{object_id}/delete/      login/login   403/403   403/403   403/403   403/403
/admin/outbound_webhooks/webhookdelivery/{object_id}/history/     login/login   403/403   403/403   403/403   200/200
/admin/outbound_webhooks/webhookendpoint/                         login/login   403/403   403/403   403/403   200/200
/admin/outbound_webhooks/webhookendpoint/add/                     login/login   403/403   403/403   403/403  200/302*
/admin/outbound_webhooks/webhookendpoint/{object_id}/             login/login   302/302   302/302   302/302   302/302
/admin/outbound_webhooks/webhookendpoint/{object_id}/change/      login/login   403/403   403/403   403/403   200/403
/admin/outbound_webhooks/webhookendpoint/{object_id}/delete/      login/login   403/403   403/403   403/403   403/403
/admin/outbound_webhooks/webhookendpoint/{object_id}/history/     login/login   403/403   403/403   403/403   200/200
/admin/password_change/                                           login/login  200/302*  200/302*  200/302*  200/302*
/admin/password_change/done/                                      login/login   200/405   200/405   200/405   200/405
/admin/payments/                                                  login/login   200/200   200/200   200/200   200/200
/admin/payments/coupon/                                           login/login   200/200   403/403   200/200   200/200
/admin/payments/coupon/add/                                       login/login   403/403   403/403  200/302*  200/302*
/admin/payments/coupon/{object_id}/                               login/login   302/302   302/302   302/302   302/302
/admin/payments/coupon/{object_id}/change/                        login/login   200/403   403/403   200/403   200/403
/admin/payments/coupon/{object_id}/delete/                        login/login   403/403   403/403   403/403   403/403
/admin/payments/coupon/{object_id}/history/                       login/login   200/200   403/403   200/200   200/200
/admin/payments/couponredemption/                                 login/login   200/200   403/403   200/200   200/200
/admin/payments/couponredemption/add/                             login/login   403/403   403/403   403/403   403/403
/admin/payments/couponredemption/{object_id}/                     login/login   302/302   302/302   302/302   302/302
/admin/payments/couponredemption/{object_id}/change/              login/login   200/403   403/403   200/403   200/403
/admin/payments/couponredemption/{object_id}/delete/              login/login   403/403   403/403   403/403   403/403
/admin/payments/couponredemption/{object_id}/history/             login/login   200/200   403/403   200/200   200/200
/admin/payments/dispute/                                          login/login   200/200   200/200   200/200   200/200
/admin/payments/dispute/add/                                      login/login   403/403   403/403   403/403   403/403
/admin/payments/dispute/{dispute_id}/evidence/                    login/login   403/403   403/403   200/200   200/200
/admin/payments/dispute/{dispute_id}/send-evidence/               login/login   403/403   403/403   200/200   200/200
/admin/payments/dispute/{object_id}/                              login/login   302/302   302/302   302/302   302/302
/admin/payments/dispute/{object_id}/change/                       login/login   200/403   200/403   200/403   200/403
/admin/payments/dispute/{object_id}/delete/                       login/login   403/403   403/403   403/403   403/403
/admin/payments/dispute/{object_id}/history/                      login/login   200/200   200/200   200/200   200/200
/admin/payments/entitlement/                                      login/login   200/200   200/200   200/200   200/200
/admin/payments/entitlement/add/                                  login/login   403/403   403/403   403/403   403/403
/admin/payments/entitlement/{object_id}/                          login/login   302/302   302/302   302/302   302/302
/admin/payments/entitlement/{object_id}/change/                   login/login   200/403   200/403   200/403   200/403
/admin/payments/entitlement/{object_id}/delete/                   login/login   403/403   403/403   403/403   403/403
/admin/payments/entitlement/{object_id}/history/                  login/login   200/200   200/200   200/200   200/200
/admin/payments/payment/                                          login/login   200/200   200/200   200/200   200/200
/admin/payments/payment/add/                                      login/login   403/403   403/403   403/403   403/403
/admin/payments/payment/{object_id}/                              login/login   302/302   302/302   302/302   302/302
/admin/payments/payment/{object_id}/change/                       login/login   200/403   200/403   200/403   200/403
/admin/payments/payment/{object_id}/delete/                       login/login   403/403   403/403   403/403   403/403
/admin/payments/payment/{object_id}/history/                      login/login   200/200   200/200   200/200   200/200
/admin/payments/payment/{payment_id}/refund/                      login/login   403/403   403/403  200/302*  200/302*
/admin/payments/paymentreview/                                    login/login   403/403   200/200   403/403   200/200
/admin/payments/paymentreview/add/                                login/login   403/403   403/403   403/403   403/403
/admin/payments/paymentreview/{object_id}/                        login/login   302/302   302/302   302/302   302/302
/admin/payments/paymentreview/{object_id}/change/                 login/login   403/403   200/403   403/403   200/403
/admin/payments/paymentreview/{object_id}/delete/                 login/login   403/403   403/403   403/403   403/403
/admin/payments/paymentreview/{object_id}/history/                login/login   403/403   200/200   403/403   200/200
/admin/payments/payout/                                           login/login   403/403   403/403   200/200   200/200
/admin/payments/payout/add/                                       login/login   403/403   403/403   403/403   403/403
/admin/payments/payout/{object_id}/                               login/login   302/302   302/302   302/302   302/302
/admin/payments/payout/{object_id}/change/                        login/login   403/403   403/403   200/403   200/403
/admin/payments/payout/{object_id}/delete/                        login/login   403/403   403/403   403/403   403/403
/admin/payments/payout/{object_id}/history/                       login/login   403/403   403/403   200/200   200/200
/admin/payments/product/                                          login/login   200/200   200/200   200/200   200/200
/admin/payments/product/add/                                      login/login   403/403   403/403   403/403   403/403
/admin/payments/product/{object_id}/                              login/login   302/302   302/302   302/302   302/302
/admin/payments/product/{object_id}/change/                       login/login   200/403   200/403   200/403   200/403
/admin/payments/product/{object_id}/delete/                       login/login   403/403   403/403   403/403   403/403
/admin/payments/product/{object_id}/history/                      login/login   200/200   200/200   200/200   200/200
/admin/payments/refund/                                           login/login   200/200   200/200   200/200   200/200
/admin/payments/refund/add/                                       login/login   403/403   403/403   403/403   403/403
/admin/payments/refund/{object_id}/                               login/login   302/302   302/302   302/302   302/302
/admin/payments/refund/{object_id}/change/                        login/login   200/403   200/403   200/403   200/403
/admin/payments/refund/{object_id}/delete/                        login/login   403/403   403/403   403/403   403/403
/admin/payments/refund/{object_id}/history/                       login/login   200/200   200/200   200/200   200/200
/admin/r/{content_type_id}/{object_id}/                           login/login   404/404   404/404   404/404   404/404
/admin/records/                                                   login/login   200/200   404/404   404/404   200/200
/admin/records/auditentry/                                        login/login   403/403   403/403   403/403   200/200
/admin/records/auditentry/add/                                    login/login   403/403   403/403   403/403   403/403
/admin/records/auditentry/{object_id}/                            login/login   302/302   302/302   302/302   302/302
/admin/records/auditentry/{object_id}/change/                     login/login   403/403   403/403   403/403   200/403
/admin/records/auditentry/{object_id}/delete/                     login/login   403/403   403/403   403/403   403/403
/admin/records/auditentry/{object_id}/history/                    login/login   403/403   403/403   403/403   200/200
/admin/records/idempotencyrecord/                                 login/login   403/403   403/403   403/403   200/200
/admin/records/idempotencyrecord/add/                             login/login   403/403   403/403   403/403   403/403
/admin/records/idempotencyrecord/{object_id}/                     login/login   302/302   302/302   302/302   302/302
/admin/records/idempotencyrecord/{object_id}/change/              login/login   403/403   403/403   403/403   200/403
/admin/records/idempotencyrecord/{object_id}/delete/              login/login   403/403   403/403   403/403   403/403
/admin/records/idempotencyrecord/{object_id}/history/             login/login   403/403   403/403   403/403   200/200
/admin/records/inboundevent/                                      login/login   403/403   403/403   403/403   200/200
/admin/records/inboundevent/add/                                  login/login   403/403   403/403   403/403   403/403
/admin/records/inboundevent/{object_id}/                          login/login   302/302   302/302   302/302   302/302
/admin/records/inboundevent/{object_id}/change/                   login/login   403/403   403/403   403/403   200/403
/admin/records/inboundevent/{object_id}/delete/                   login/login   403/403   403/403   403/403   403/403
/admin/records/inboundevent/{object_id}/history/                  login/login   403/403   403/403   403/403   200/200
/admin/records/outboundmail/                                      login/login   200/200   403/403   403/403   200/200
/admin/records/outboundmail/add/                                  login/login   403/403   403/403   403/403   403/403
/admin/records/outboundmail/{object_id}/                          login/login   302/302   302/302   302/302   302/302
/admin/records/outboundmail/{object_id}/change/                   login/login   200/403   403/403   403/403   200/403
/admin/records/outboundmail/{object_id}/delete/                   login/login   403/403   403/403   403/403   403/403
/admin/records/outboundmail/{object_id}/history/                  login/login   200/200   403/403   403/403   200/200
/admin/second-factor/                                             login/login  200/302*  200/302*  200/302*  200/302*
/admin/risk/                                                      login/login   404/404   200/200   200/200   200/200
/admin/risk/decision/                                             login/login   403/403   200/200   200/200   200/200
/admin/risk/decision/add/                                         login/login   403/403   403/403   403/403   403/403
/admin/risk/decision/{object_id}/                                 login/login   302/302   302/302   302/302   302/302
/admin/risk/decision/{object_id}/change/                          login/login   403/403   200/403   200/403   200/403
/admin/risk/decision/{object_id}/delete/                          login/login   403/403   403/403   403/403   403/403
/admin/risk/decision/{object_id}/history/                         login/login   403/403   200/200   200/200   200/200
/admin/risk/ruleversion/                                          login/login   403/403   200/200   200/200   200/200
/admin/risk/ruleversion/add/                                      login/login   403/403   403/403  200/302*  200/302*
/admin/risk/ruleversion/{object_id}/                              login/login   302/302   302/302   302/302   302/302
/admin/risk/ruleversion/{object_id}/change/                       login/login   403/403   200/403   200/403   200/403
/admin/risk/ruleversion/{object_id}/delete/                       login/login   403/403   403/403   403/403   403/403
/admin/risk/ruleversion/{object_id}/history/                      login/login   403/403   200/200   200/200   200/200
/admin/wallets/                                                   login/login   200/200   200/200   200/200   200/200
/admin/wallets/adjustmentproposal/                                login/login   403/403   403/403   200/200   200/200
/admin/wallets/adjustmentproposal/add/                            login/login   403/403   403/403   403/403   403/403
/admin/wallets/adjustmentproposal/propose/                        login/login   403/403   403/403  200/302*  200/302*
/admin/wallets/adjustmentproposal/{object_id}/                    login/login   302/302   302/302   302/302   302/302
/admin/wallets/adjustmentproposal/{object_id}/change/             login/login   403/403   403/403   200/403   200/403
/admin/wallets/adjustmentproposal/{object_id}/delete/             login/login   403/403   403/403   403/403   403/403
/admin/wallets/adjustmentproposal/{object_id}/history/            login/login   403/403   403/403   200/200   200/200
/admin/wallets/journalentry/                                      login/login   403/403   403/403   200/200   200/200
/admin/wallets/journalentry/add/                                  login/login   403/403   403/403   403/403   403/403
/admin/wallets/journalentry/{object_id}/                          login/login   302/302   302/302   302/302   302/302
/admin/wallets/journalentry/{object_id}/change/                   login/login   403/403   403/403   200/403   200/403
/admin/wallets/journalentry/{object_id}/delete/                   login/login   403/403   403/403   403/403   403/403
/admin/wallets/journalentry/{object_id}/history/                  login/login   403/403   403/403   200/200   200/200
/admin/wallets/ledgeraccount/                                     login/login   403/403   403/403   200/200   200/200
/admin/wallets/ledgeraccount/add/                                 login/login   403/403   403/403   403/403   403/403
/admin/wallets/ledgeraccount/{object_id}/                         login/login   302/302   302/302   302/302   302/302
/admin/wallets/ledgeraccount/{object_id}/change/                  login/login   403/403   403/403   200/403   200/403
/admin/wallets/ledgeraccount/{object_id}/delete/                  login/login   403/403   403/403   403/403   403/403
/admin/wallets/ledgeraccount/{object_id}/history/                 login/login   403/403   403/403   200/200   200/200
/admin/wallets/payoutaccount/                                     login/login   200/200   200/200   200/200   200/200
/admin/wallets/payoutaccount/add/                                 login/login   403/403   403/403   403/403   403/403
/admin/wallets/payoutaccount/{object_id}/                         login/login   302/302   302/302   302/302   302/302
/admin/wallets/payoutaccount/{object_id}/change/                  login/login   200/403   200/403   200/403   200/403
/admin/wallets/payoutaccount/{object_id}/delete/                  login/login   403/403   403/403   403/403   403/403
/admin/wallets/payoutaccount/{object_id}/history/                 login/login   200/200   200/200   200/200   200/200
/admin/wallets/payoutfreeze/                                      login/login   403/403   403/403   200/200   200/200
/admin/wallets/payoutfreeze/add/                                  login/login   403/403   403/403   403/403   403/403
/admin/wallets/payoutfreeze/{object_id}/                          login/login   302/302   302/302   302/302   302/302
/admin/wallets/payoutfreeze/{object_id}/change/                   login/login   403/403   403/403   200/403   200/403
/admin/wallets/payoutfreeze/{object_id}/delete/                   login/login   403/403   403/403   403/403   403/403
/admin/wallets/payoutfreeze/{object_id}/history/                  login/login   403/403   403/403   200/200   200/200
/admin/wallets/payoutlimit/                                       login/login   403/403   200/200   200/200   200/200
/admin/wallets/payoutlimit/add/                                   login/login   403/403   403/403   403/403   403/403
/admin/wallets/payoutlimit/{object_id}/                           login/login   302/302   302/302   302/302   302/302
/admin/wallets/payoutlimit/{object_id}/change/                    login/login   403/403   200/403   200/403   200/403
/admin/wallets/payoutlimit/{object_id}/delete/                    login/login   403/403   403/403   403/403   403/403
/admin/wallets/payoutlimit/{object_id}/history/                   login/login   403/403   200/200   200/200   200/200
/admin/wallets/payoutprofile/                                     login/login   403/403   200/200   200/200   200/200
/admin/wallets/payoutprofile/add/                                 login/login   403/403   403/403   403/403   403/403
/admin/wallets/payoutprofile/{object_id}/                         login/login   302/302   302/302   302/302   302/302
/admin/wallets/payoutprofile/{object_id}/change/                  login/login   403/403   200/403   200/403   200/403
/admin/wallets/payoutprofile/{object_id}/delete/                  login/login   403/403   403/403   403/403   403/403
/admin/wallets/payoutprofile/{object_id}/history/                 login/login   403/403   200/200   200/200   200/200
/admin/wallets/seal/                                              login/login   403/403   403/403   200/200   200/200
/admin/wallets/seal/add/                                          login/login   403/403   403/403   403/403   403/403
/admin/wallets/seal/{object_id}/                                  login/login   302/302   302/302   302/302   302/302
/admin/wallets/seal/{object_id}/change/                           login/login   403/403   403/403   200/403   200/403
/admin/wallets/seal/{object_id}/delete/                           login/login   403/403   403/403   403/403   403/403
/admin/wallets/seal/{object_id}/history/                          login/login   403/403   403/403   200/200   200/200
/admin/wallets/withdrawal/                                        login/login   200/200   200/200   200/200   200/200
/admin/wallets/withdrawal/add/                                    login/login   403/403   403/403   403/403   403/403
/admin/wallets/withdrawal/{object_id}/                            login/login   302/302   302/302   302/302   302/302
/admin/wallets/withdrawal/{object_id}/change/                     login/login   200/403   200/403   200/403   200/403
/admin/wallets/withdrawal/{object_id}/delete/                     login/login   403/403   403/403   403/403   403/403
/admin/wallets/withdrawal/{object_id}/history/                    login/login   200/200   200/200   200/200   200/200
/admin/wallets/withdrawalreview/                                  login/login   403/403   200/200   403/403   200/200
/admin/wallets/withdrawalreview/add/                              login/login   403/403   403/403   403/403   403/403
/admin/wallets/withdrawalreview/{object_id}/                      login/login   302/302   302/302   302/302   302/302
/admin/wallets/withdrawalreview/{object_id}/change/               login/login   403/403   200/403   403/403   200/403
/admin/wallets/withdrawalreview/{object_id}/delete/               login/login   403/403   403/403   403/403   403/403
/admin/wallets/withdrawalreview/{object_id}/history/              login/login   403/403   200/200   403/403   200/200
/admin/{url}                                                      login/login   404/404   404/404   404/404   404/404
"""

# What the lists of the console do with the rows that are chosen. An action that is not offered leaves all as it is.
ACTIONS = """
                                                                       others   support  reviewer   finance     admin
/admin/accounts/user/ delete_selected                                   login       200       200       200       302
/admin/accounts/user/ erase                                             login       200       200       200      302*
/admin/accounts/user/ reset_second_factor                               login       200       200       200      302*
/admin/auth/group/ delete_selected                                      login       403       403       403       200
/admin/courses/course/ delete_selected                                  login       200       302       403       302
/admin/courses/course/ publish                                          login       200      302*       403      302*
/admin/courses/course/ withdraw                                         login       200      302*       403      302*
/admin/courses/coursepass/ delete_selected                              login       403       403       403       200
/admin/courses/department/ delete_selected                              login       200       200       403      302*
/admin/courses/enrollment/ delete_selected                              login       302       403       403       302
/admin/courses/enrollment/ export                                       login      200*       403       403      200*
/admin/courses/enrollment/ mark_sent                                    login      302*       403       403      302*
/admin/courses/enrollment/ revoke                                       login      302*       403       403      302*
/admin/django_celery_beat/periodictask/ delete_selected                 login       403       403       403       302
/admin/django_celery_beat/periodictask/ pause                           login       403       403       403      302*
/admin/django_celery_beat/periodictask/ resume                          login       403       403       403      302*
/admin/django_celery_beat/periodictask/ run                             login       403       403       403      302*
/admin/outbound_webhooks/webhookdelivery/ delete_selected               login       403       403       403       200
/admin/outbound_webhooks/webhookendpoint/ delete_selected               login       403       403       403       200
/admin/payments/coupon/ delete_selected                                 login       200       403       302       302
/admin/payments/coupon/ pause                                           login       200       403      302*      302*
/admin/payments/coupon/ resume                                          login       200       403      302*      302*
/admin/payments/couponredemption/ delete_selected                       login       200       403       200       200
/admin/payments/dispute/ delete_selected                                login       200       200       200       200
/admin/payments/entitlement/ delete_selected                            login       200       200       200       200
/admin/payments/payment/ delete_selected                                login       200       200       200       200
/admin/payments/paymentreview/ approve                                  login       403      302*       403      302*
/admin/payments/paymentreview/ delete_selected                          login       403       302       403       302
/admin/payments/paymentreview/ note                                     login       403       302       403       302
/admin/payments/paymentreview/ reject                                   login       403      302*       403      302*
/admin/payments/paymentreview/ take_on                                  login       403      302*       403      302*
/admin/payments/payout/ delete_selected                                 login       403       403       200       200
/admin/payments/product/ delete_selected                                login       200       200       200       200
/admin/payments/refund/ delete_selected                                 login       200       200       200       200
/admin/records/auditentry/ delete_selected                              login       403       403       403       200
/admin/records/idempotencyrecord/ delete_selected                       login       403       403       403       200
/admin/records/inboundevent/ delete_selected                            login       403       403       403       302
/admin/records/inboundevent/ handle_again                               login       403       403       403      302*
/admin/records/outboundmail/ delete_selected                            login       302       403       403       302
/admin/records/outboundmail/ send_again                                 login      302*       403       403      302*
/admin/risk/decision/ delete_selected                                   login       403       200       200       200
/admin/risk/ruleversion/ delete_selected                                login       403       200       302       302
/admin/risk/ruleversion/ promote                                        login       403       200      302*      302*
/admin/risk/ruleversion/ retire                                         login       403       200      302*      302*
/admin/wallets/adjustmentproposal/ approve                              login       403       403      302*      302*
/admin/wallets/adjustmentproposal/ delete_selected                      login       403       403       302       302
/admin/wallets/adjustmentproposal/ reject                               login       403       403      302*      302*
/admin/wallets/journalentry/ delete_selected                            login       403       403       200       200
/admin/wallets/ledgeraccount/ delete_selected                           login       403       403       200       200
/admin/wallets/payoutaccount/ delete_selected                           login       200       200       200       200
/admin/wallets/payoutfreeze/ delete_selected                            login       403       403       302       302
/admin/wallets/payoutfreeze/ unfreeze                                   login       403       403      302*      302*
/admin/wallets/payoutlimit/ delete_selected                             login       403       200       200       200
/admin/wallets/payoutprofile/ delete_selected                           login       403       302       200       302
/admin/wallets/payoutprofile/ resume                                    login       403      302*       200      302*
/admin/wallets/payoutprofile/ set_tier                                  login       403      302*       200      302*
/admin/wallets/payoutprofile/ suspend                                   login       403      302*       200      302*
/admin/wallets/seal/ delete_selected                                    login       403       403       200       200
/admin/wallets/withdrawal/ delete_selected                              login       200       200       302       302
/admin/wallets/withdrawal/ not_transferable                             login       200       200      302*      302*
/admin/wallets/withdrawal/ sent_back                                    login       200       200      302*      302*
/admin/wallets/withdrawal/ transferred                                  login       200       200      302*      302*
/admin/wallets/withdrawalreview/ approve                                login       403      302*       403      302*
/admin/wallets/withdrawalreview/ delete_selected                        login       403       302       403       302
/admin/wallets/withdrawalreview/ note                                   login       403       302       403       302
/admin/wallets/withdrawalreview/ reject                                 login       403      302*       403      302*
/admin/wallets/withdrawalreview/ take_on                                login       403      302*       403      302*
"""


def rows(table: str) -> dict[str, dict[str, str]]:
    """Row -> column -> cell."""
    head, *lines = table.strip("\n").splitlines()
    columns = head.split()
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        row, *cells = line.rsplit(maxsplit=len(columns))
        assert row not in found, f"two rows: {row}"
        found[row] = dict(zip(columns, cells, strict=True))
    return found
