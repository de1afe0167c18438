"""What the convolutions and the attention between streams promise, as identities."""

from __future__ import annotations

from itertools import permutations

import pytest
import torch
import torch.nn.functional as F

from medprompt_cli.networks.blocks import (
    Down,
    NativeConv,
    NormalisedBlock,
    PlainBlock,
    StreamAttention,
    upsample,
)

AXES = pytest.mark.parametrize("axis", [0, 1, 2], ids="IJK")
ALL = (True, True, True)


def close(one, other):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def without(axis):
    return tuple(a != axis for a in range(3))


@pytest.fixture
def image():
    return torch.randn(2, 3, 6, 8, 10, generator=torch.Generator().manual_seed(4))


def constant_along(image, axis):
    return image.select(axis + 2, 0).unsqueeze(axis + 2).expand_as(image).contiguous()


def interior(features, axis):
    return features.narrow(axis + 2, 1, features.shape[axis + 2] - 2)


@AXES
def test_in_plane_kernel_is_the_3d_kernel_on_an_image_constant_through_the_slices(image, axis):
    conv = NativeConv(3, 5)
    image = constant_along(image, axis)

    in_plane, full = conv(image, without(axis)), conv(image, ALL)

    assert in_plane.shape == full.shape == (2, 5, 6, 8, 10)
    close(interior(in_plane, axis), interior(full, axis))


@AXES
def test_in_plane_kernel_sees_no_other_slice(image, axis):
    conv, extent = NativeConv(3, 5), without(axis)

    whole = conv(image, extent)

    for n in (0, 3, image.shape[axis + 2] - 1):
        one = image.narrow(axis + 2, n, 1)
        close(whole.narrow(axis + 2, n, 1), conv(one, extent))


def test_full_kernel_is_an_ordinary_convolution(image):
    conv = NativeConv(3, 5)

    close(conv(image, ALL), F.conv3d(image, conv.weight, conv.bias, padding=1))


def in_bfloat16(tensor):
    return tensor.bfloat16().contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.parametrize(
    "shape", [(1, 2, 3), (2, 2, 2), (2, 5, 4), (3, 1, 1), (4, 2, 2)], ids=str
)
@pytest.mark.parametrize("extent", [ALL, (True, True, False), (False, True, True)], ids=str)
def test_bfloat16_agrees_with_float32_in_thin_images(shape, extent):
    """Libraries were seen to read memory they never wrote; forwards and backwards."""
    conv = NativeConv(16, 16)
    generator = torch.Generator().manual_seed(8)
    features, gradient = torch.randn(2, 1, 16, *shape, generator=generator)
    found, exact = [], []
    for results, cast in ((found, in_bfloat16), (exact, torch.Tensor.float)):
        weight = torch.nn.Parameter(cast(conv.weight.detach().bfloat16()))
        conv.weight, conv.bias = weight, None
        image = cast(features.bfloat16()).requires_grad_()
        trash = torch.full((100_000,), torch.nan)
        del trash
        out = conv(image, extent)
        out.backward(cast(gradient.bfloat16()))
        results += [out.detach(), image.grad, weight.grad]

    for one, other in zip(found, exact, strict=True):
        assert float((one.float() - other).abs().max()) < 0.02 * float(other.abs().max())


@pytest.mark.parametrize("pool", [(2, 2, 2), (2, 2, 1), (1, 2, 2)], ids=str)
@pytest.mark.parametrize("shape", [(2, 2, 2), (4, 2, 2), (2, 4, 6), (6, 4, 2)], ids=str)
def test_bfloat16_pooling_agrees_with_float32_in_thin_images(shape, pool):
    down = Down(16, 24)
    features = torch.randn(1, 16, *shape, generator=torch.Generator().manual_seed(8)).bfloat16()

    with torch.inference_mode():
        found = down.to(torch.bfloat16)(in_bfloat16(features), pool).float()
        exact = down.float()(features.float(), pool)

    assert float((found - exact).abs().max()) < 0.02 * float(exact.abs().max())


@AXES
def test_unpooled_axis_is_the_pooled_one_on_an_image_constant_along_it(image, axis):
    down = Down(3, 4)
    image = constant_along(image, axis)
    pool = tuple(1 if a == axis else 2 for a in range(3))

    kept, pooled = down(image, pool), down(image, (2, 2, 2))

    assert kept.shape[axis + 2] == image.shape[axis + 2]
    for n in range(kept.shape[axis + 2]):
        close(kept.select(axis + 2, n), pooled.select(axis + 2, 0))


def test_upsampling_keeps_the_mean_and_a_constant(image):
    pool = (2, 1, 4)

    finer = upsample(image, pool)

    assert finer.shape[2:] == (12, 8, 40)
    close(finer.mean(dim=(2, 3, 4)), image.mean(dim=(2, 3, 4)))
    close(upsample(torch.full_like(image, 3.0), pool), torch.full_like(finer, 3.0))
    assert upsample(image, (1, 1, 1)) is image


def test_one_stream_passes_unchanged(image, enliven):
    mix = enliven(StreamAttention(3, 4))

    assert torch.equal(mix(image, 1), image)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_streams_in_another_order_come_out_in_that_order(order, enliven):
    features = torch.randn(3, 6, 2, 3, 4, generator=torch.Generator().manual_seed(1))
    mix = enliven(StreamAttention(6, 4))

    mixed = mix(features, 3)

    assert not torch.allclose(mixed, features, atol=1e-2)
    close(mix(features[list(order)], 3), mixed[list(order)])


def test_streams_of_one_case_do_not_see_another_case(enliven):
    features = torch.randn(6, 6, 2, 3, 4, generator=torch.Generator().manual_seed(1))
    mix = enliven(StreamAttention(6, 4))

    close(mix(features, 3), torch.cat([mix(features[:3], 3), mix(features[3:], 3)]))


def test_equal_streams_have_nothing_to_tell_each_other(enliven):
    features = torch.randn(1, 6, 2, 3, 4, generator=torch.Generator().manual_seed(1))
    streams = features.repeat(4, 1, 1, 1, 1)

    close(enliven(StreamAttention(6, 4))(streams, 4), streams)


def test_streams_mix_voxel_by_voxel(enliven):
    features = torch.randn(2, 6, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    mix = enliven(StreamAttention(6, 4))
    touched = features.clone()
    touched[:, :, 1, 2, 3] += 1

    changed = (mix(touched, 2) - mix(features, 2)).abs().amax(dim=(0, 1)) > 1e-6

    assert changed.nonzero().tolist() == [[1, 2, 3]]


def test_plain_block_gives_a_tile_what_it_gives_the_image(enliven):
    block = enliven(PlainBlock(4, 5))
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(1, 4, 12, 12, 12, generator=generator)
    context = torch.randn(1, 5, generator=generator)

    whole = block(features, context, ALL)
    tile = block(features[:, :, 2:10, 1:11, 3:12], context, ALL)

    close(tile[:, :, 2:-2, 2:-2, 2:-2], whole[:, :, 4:8, 3:9, 5:10])
    assert not torch.allclose(tile[:, :, 0], whole[:, :, 2, 1:11, 3:12], atol=1e-3)


def test_context_steers_a_plain_block(enliven):
    block = enliven(PlainBlock(4, 5))
    features = torch.ones(1, 4, 3, 3, 3)

    one, other = (block(features, torch.full((1, 5), v), ALL) for v in (0.0, 1.0))

    assert not torch.allclose(one, other, atol=1e-2)


def test_normalised_block_hardly_minds_the_scale_of_its_update(enliven):
    block = enliven(NormalisedBlock(8, 4))
    features = torch.randn(1, 8, 4, 4, 4, generator=torch.Generator().manual_seed(3))

    update = block(features, ALL) - features
    scaled = block(100 * features, ALL) - 100 * features

    torch.testing.assert_close(scaled, update, rtol=1e-2, atol=1e-3)
