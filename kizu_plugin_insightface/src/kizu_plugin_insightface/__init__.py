"""Faces with InsightFace: SCRFD finds them, ArcFace tells them apart."""
