import torch

from services.segmentation.engines.sam.tiny_vit import Attention, TinyViT


def test_the_encoder_is_the_published_one() -> None:
    encoder = TinyViT()
    # TinyViT-5M without its classifier, with Segment Anything's neck: parameter count of MobileSAM's checkpoint.
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 5_743_892
    with torch.inference_mode():
        assert encoder.eval()(torch.zeros(1, 3, 1024, 1024)).shape == (1, 256, 64, 64)


def test_the_attention_bias_follows_the_absolute_offset() -> None:
    torch.manual_seed(0)
    window, heads, width = 3, 2, 8
    attention = Attention(width, heads, window)
    torch.nn.init.normal_(attention.attention_biases)
    x = torch.randn(2, window * window, width)
    with torch.no_grad():
        found = attention(x)
        qkv = attention.qkv(attention.norm(x)).view(2, 9, heads, 3 * width // heads)
        query, key, value = qkv.split(width // heads, dim=3)
        wanted = torch.zeros(2, 9, heads, width // heads)
        for token in range(9):
            for head in range(heads):
                bias = torch.tensor(
                    [
                        attention.attention_biases[
                            head, abs(token // 3 - other // 3) * 3 + abs(token % 3 - other % 3)
                        ].item()
                        for other in range(9)
                    ]
                )
                score = (query[:, token, head, None] * key[:, :, head]).sum(-1) / (width // heads) ** 0.5 + bias
                wanted[:, token, head] = (score.softmax(-1)[..., None] * value[:, :, head]).sum(1)
        reference = attention.proj(wanted.reshape(2, 9, width))
    assert torch.allclose(found, reference, atol=1e-5)
