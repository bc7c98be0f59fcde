"""Published versions in an object store (S3, Google Cloud Storage, Azure): copied, pointed at, removed, looked at."""
