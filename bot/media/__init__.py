"""All that touches sound and pictures; the only place that runs processes."""
