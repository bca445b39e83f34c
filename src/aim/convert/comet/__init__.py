"""
Offline experiments of Comet: a ZIP file each.
"""
