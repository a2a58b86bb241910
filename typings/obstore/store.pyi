from typing import TypeAlias

class S3Store:
    def __init__(self, bucket: str, **options: object) -> None: ...

class GCSStore:
    def __init__(self, bucket: str, **options: object) -> None: ...

class AzureStore:
    def __init__(self, container: str, **options: object) -> None: ...

Bucket: TypeAlias = S3Store | GCSStore | AzureStore
