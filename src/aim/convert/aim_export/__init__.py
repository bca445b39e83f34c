"""
What `aim export` wrote: folders of JSON Lines, ZIP archives, pages in one file. A run keeps its hash.

    stored_runs   a repository, unpacked from a ZIP    ->  neutral events
    json_lines    runs.jsonl, points.jsonl, objects.jsonl
    pages         the blocks of a page
"""
