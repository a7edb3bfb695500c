"""Where files are kept in production: a bucket that speaks S3, read by everybody, written by us alone."""

from typing import Any

from botocore.config import Config

from learning247.kit.files import FOREVER


def bucket_storage(
    *, bucket: str, region: str, access_key: str = "", secret_key: str = "", endpoint: str = "", domain: str = ""
) -> dict[str, Any]:
    """The entry for STORAGES. Without keys, those of the machine's role; `endpoint` for what is not Amazon's;
    `domain`, without scheme, where readers get the files: a CDN in front of the bucket, or else the bucket's own."""
    if not endpoint:
        domain = domain or f"{bucket}.s3.{region}.amazonaws.com"
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "region_name": region,
            "access_key": access_key or None,
            "secret_key": secret_key or None,
            "endpoint_url": endpoint or None,
            "custom_domain": domain or None,
            "querystring_auth": False,
            "default_acl": None,  # the bucket's policy says who reads; new buckets refuse ACLs
            "file_overwrite": True,  # names are made from contents
            "object_parameters": {"CacheControl": FOREVER},
            "client_config": Config(
                signature_version="s3v4", connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2}
            ),
        },
    }
