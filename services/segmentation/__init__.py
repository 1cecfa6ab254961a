"""Segmentation service: product cutouts and object detection."""
