"""
A cluster with real servers: ClickHouse and an object store.
"""
