"""Exported models in onnxruntime or OpenVINO, without torch."""
