"""COCO classes (Lin et al., 2014), under the two numberings that checkpoints use."""

NAMES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip
UNUSED_IDS = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))
"""Class ids from 1 to 90 that COCO leaves unused."""

BY_DENSE_ID = dict(enumerate(NAMES, start=1))
"""Names by matterport's class ids, 1 to 80; 0 is the background."""
BY_COCO_ID = dict(zip((number for number in range(1, 91) if number not in UNUSED_IDS), NAMES, strict=True))
"""Names by the class ids of COCO and torchvision, 1 to 90 with gaps; 0 is the background."""
