"""
A repository in a cluster: points and lines in ClickHouse, bytes of objects in an object store. docs/formats/cluster.md.

    settings      cluster.toml
    database      statements and inserts, over `clickhouse-connect`
    schema        the tables
    rows          what a request ships, as rows of the tables
    object_store  bytes by key, over `obstore`
    cluster_intake                    requests of shippers  ->  rows and objects
    cluster_lines, cluster_source     rows  ->  the state of a run, and its points
    cluster_heads, cluster_facts, cluster_catalogue     rows  ->  the table that queries ask
    cluster_backend                   all of these, as a `Backend`

The tables hold what the files of a folder hold, line for line and record for record, under the identity that they have
there. So a run is folded, merged and shown by the code that reads folders, and inserting again changes nothing.
"""
