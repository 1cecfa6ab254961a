"""Words of labels that processes and the command line share: IPTC digital source types, and signs of credentials.

https://cv.iptc.org/newscodes/digitalsourcetype
"""

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
WITH_TRAINED = "compositeWithTrainedAlgorithmicMedia"
"""A picture that a trained model made in part."""
_SIGNS = (b"c2pa", b"C2PA")


def carries_credentials(file: bytes) -> bool:
    """Return whether a picture file seems to carry content credentials."""
    return any(sign in file for sign in _SIGNS)
