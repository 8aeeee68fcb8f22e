"""Text recognition with EasyOCR (CRAFT and CRNN in torch)."""
