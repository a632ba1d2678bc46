"""Rows to Elasticsearch and OpenSearch: documents, a spool on disk, and a thread that sends."""
