"""What a change of the rules may be refused with."""

from learning247.kit.errors import Conflict, NotFound, Unprocessable


class RuleUnreadable(Unprocessable):
    code = "rule_unreadable"
    detail = "This is no rule."


class RuleNotFound(NotFound):
    code = "rule_not_found"
    detail = "There is no such version of a rule."


class RuleVersionStale(Conflict):
    code = "rule_version_stale"
    detail = "This version cannot take that step any more: another one was promoted, or it is retired."
