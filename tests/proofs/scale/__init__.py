"""Keeps files in a bucket of a server with the API of S3, and looks at the bucket from outside."""
