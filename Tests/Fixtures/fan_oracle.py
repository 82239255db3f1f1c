"""FAN in PyTorch, written from its paper's equations.

Modules carry the names under which the authors' weights are stored.
"""

import math
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

from robust_layers import FeedForward, Projection, as_map, as_tokens, attend, split_heads


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of a map."""

    def __init__(self, width):
        super().__init__(width, eps=1e-6)

    def forward(self, x):
        return super().forward(x.movedim(1, 3)).movedim(3, 1)


class ConvNeXtBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv_dw = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = ChannelNorm(width)
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Conv2d(width, 4 * width, 1), nn.Conv2d(4 * width, width, 1)
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x):
        y = self.mlp.fc2(F.gelu(self.mlp.fc1(self.norm(self.conv_dw(x)))))
        return x + self.gamma[:, None, None] * y


class ConvNeXtStage(nn.Module):
    def __init__(self, previous, width, depth):
        super().__init__()
        self.downsample = nn.Identity() if previous is None else nn.Sequential(
            ChannelNorm(previous), nn.Conv2d(previous, width, 2, stride=2))
        self.blocks = nn.Sequential(*[ConvNeXtBlock(width) for _ in range(depth)])

    def forward(self, x):
        return self.blocks(self.downsample(x))


def convnext(widths, depths):
    stem = nn.Sequential(nn.Conv2d(3, widths[0], 4, stride=4), ChannelNorm(widths[0]))
    stages = nn.Sequential(*[
        ConvNeXtStage(a, b, d) for a, b, d in zip([None] + widths, widths, depths)])
    return nn.Sequential(OrderedDict(stem=stem, stages=stages))


class HybridStem(nn.Module):
    def __init__(self, widths, depths, width):
        super().__init__()
        self.backbone = convnext(widths, depths)
        self.proj = nn.Conv2d(widths[-1], width, 2, stride=2)

    def forward(self, x):
        return self.proj(self.backbone(x))


def convolutional_stem(width):
    layers, inputs = [], 3
    for index, outputs in enumerate((width // 8, width // 4, width // 2, width)):
        if index:
            layers.append(nn.GELU())
        layers.append(nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs)))
        inputs = outputs
    return nn.Sequential(*layers)


class FourierPosition(nn.Module):
    def __init__(self, width, side):
        super().__init__()
        self.token_projection = nn.Conv2d(64, width, 1)
        place = torch.arange(1, side + 1).double() / (side + 1e-6) * 2 * math.pi
        wave = 10000 ** (torch.arange(0, 32, 2).double() / 32)
        angle = place[:, None] / wave
        axis = torch.stack([angle.sin(), angle.cos()], 2).flatten(1)
        rows, columns = axis[:, None].expand(-1, side, -1), axis[None].expand(side, -1, -1)
        self.table = torch.cat([rows, columns], 2).movedim(2, 0)[None]

    def forward(self):
        return as_tokens(self.token_projection(self.table.to(self.token_projection.weight.dtype)))


class TokenMixing(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        return self.proj(attend(self.q(x), *self.kv(x).chunk(2, 2), self.heads))


class MixingFeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.dwconv = nn.Module()
        self.dwconv.conv1, self.dwconv.conv2 = (
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden) for _ in range(2))
        self.dwconv.bn = nn.BatchNorm2d(hidden)
        self.gamma = nn.Parameter(torch.ones(hidden))

    def forward(self, x):
        u = self.fc1(x)
        mixed = self.dwconv.conv2(self.dwconv.bn(F.gelu(self.dwconv.conv1(as_map(u)))))
        return self.fc2(u + self.gamma * as_tokens(mixed))


class ChannelProcessing(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.mlp_v, self.norm_v = MixingFeedForward(width, hidden), nn.LayerNorm(width)
        self.q = nn.Linear(width, width)

    def forward(self, x):
        q, k = (split_heads(y.softmax(1), self.heads) for y in (self.q(x), x))
        agreement = torch.einsum("bhnc,bhn->bhc", q, k.mean(3))
        gate = self.temperature[None, :, :, 0] * torch.sigmoid(agreement)
        return gate.flatten(1)[:, None] * self.norm_v(self.mlp_v(x))


class FullyAttentionalBlock(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn = TokenMixing(width, heads)
        self.mlp = ChannelProcessing(width, heads, hidden)
        self.gamma1, self.gamma2 = (nn.Parameter(torch.ones(width)) for _ in range(2))

    def forward(self, x):
        x = x + self.gamma1 * self.attn(self.norm1(x))
        return x + self.gamma2 * self.mlp(self.norm2(x))


class ClassAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        return self.proj(attend(self.q(x[:, :1]), self.k(x), self.v(x), self.heads))


class ClassAttentionBlock(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn, self.mlp = ClassAttention(width, heads), FeedForward(width, hidden)
        self.gamma1, self.gamma2 = (nn.Parameter(torch.ones(width)) for _ in range(2))

    def forward(self, x):
        normal = self.norm1(x)
        x = self.norm2(x + self.gamma1 * torch.cat([self.attn(normal), normal[:, 1:]], 1))
        return x + torch.cat([self.gamma2 * self.mlp(x[:, :1]), x[:, 1:]], 1)


class FullyAttentionalNetwork(nn.Module):
    def __init__(self, imageSize, width, heads, depth, classes, stem="convolutional",
                 stemWidths=(128, 256), stemDepths=(3, 3), classBlocks=2):
        super().__init__()
        hidden = 4 * width
        self.patch_embed = HybridStem(list(stemWidths), list(stemDepths), width) \
            if stem == "convnext" else Projection(convolutional_stem(width))
        self.pos_embed = FourierPosition(width, imageSize // 16)
        self.blocks = nn.ModuleList(
            [FullyAttentionalBlock(width, heads, hidden) for _ in range(depth)])
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.cls_attn_blocks = nn.ModuleList(
            [ClassAttentionBlock(width, heads, hidden) for _ in range(classBlocks)])
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)

    def forward(self, x):
        stem = self.patch_embed
        x = as_tokens(stem(x) if isinstance(stem, HybridStem) else stem.proj(x))
        x = x + self.pos_embed()
        for block in self.blocks:
            x = block(x)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        for block in self.cls_attn_blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])
