"""Mask R-CNN (He et al., 2017), with weights from torchvision or matterport."""
