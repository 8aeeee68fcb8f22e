"""Object detection with YOLOv8."""
