"""Inpainting: removing what stands in a picture."""
