"""Segment Anything (Kirillov et al., 2023), with MobileSAM's encoder (Zhang et al., 2023)."""
