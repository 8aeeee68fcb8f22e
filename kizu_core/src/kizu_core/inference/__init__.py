"""Tools for those who write model plugins: sessions of exported models, and the geometry between picture and tensor.

Plugins get them from the package root. Nothing here knows a particular model.
"""
