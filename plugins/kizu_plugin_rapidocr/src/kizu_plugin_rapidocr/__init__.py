"""Text recognition with RapidOCR (PP-OCR models in onnxruntime)."""
