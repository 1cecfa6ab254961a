"""Segmentation, saliency and detection engines."""
