"""
SwanLab: folders that its offline mode wrote.
"""
