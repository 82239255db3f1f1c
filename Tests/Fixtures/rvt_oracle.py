"""RVT in PyTorch, written from its paper's equations.

Modules carry the names under which the authors' weights are stored.
"""

import torch
from torch import nn
from torch.nn import functional as F

from robust_layers import FeedForward, Projection, as_map, as_tokens, attend


class PositionAwareAttention(nn.Module):
    def __init__(self, width, heads, tokens, masked, reasoning):
        super().__init__()
        self.heads, self.width = heads, width
        if reasoning:
            self.patch_reasoning = nn.Sequential(
                nn.Conv2d(width, width // 4, 3, padding=1), nn.ReLU(),
                nn.Conv2d(width // 4, 3 * width, 1))
        else:
            self.qkv = nn.Linear(width, 3 * width)
        if masked:
            self.att_mask = nn.Parameter(torch.zeros(heads, tokens, tokens))
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        qkv = as_tokens(self.patch_reasoning(as_map(x))) if hasattr(self, "patch_reasoning") \
            else self.qkv(x)
        mask = torch.sigmoid(self.att_mask) if hasattr(self, "att_mask") else None
        return self.proj(attend(*qkv.split(self.width, 2), self.heads, mask))


class LocalFeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.bn1 = nn.Conv2d(width, hidden, 1), nn.BatchNorm2d(hidden)
        self.dwconv = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.fc2, self.bn3 = nn.Conv2d(hidden, width, 1), nn.BatchNorm2d(width)

    def forward(self, x):
        y = F.gelu(self.bn1(self.fc1(as_map(x))))
        y = F.gelu(self.bn2(self.dwconv(y)))
        return as_tokens(self.bn3(self.fc2(y)))


class RobustBlock(nn.Module):
    def __init__(self, width, heads, tokens, masked, reasoning, local):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.attn = PositionAwareAttention(width, heads, tokens, masked, reasoning)
        self.mlp = (LocalFeedForward if local else FeedForward)(width, 4 * width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class RobustStage(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)


class Halving(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, groups=inputs)


class RobustVisionTransformer(nn.Module):
    def __init__(self, imageSize, widths, heads, depths, classes, maskedBlocks=0,
                 patchReasoning=False, feedForward="convolutional", channels=3):
        super().__init__()
        self.patch_embed = Projection(nn.Sequential(
            nn.Conv2d(channels, 32, 7, stride=2, padding=2), nn.BatchNorm2d(32),
            nn.MaxPool2d(3, stride=2, padding=1), nn.Conv2d(32, widths[0], 4, stride=4)))
        side, stages = imageSize // 16, []
        for s, (width, count, depth) in enumerate(zip(widths, heads, depths)):
            stages.append(RobustStage([
                RobustBlock(width, count, side * side, s == 0 and i < maskedBlocks,
                            patchReasoning, feedForward == "convolutional")
                for i in range(depth)]))
            side = (side + 1) // 2
        self.transformers = nn.ModuleList(stages)
        self.pools = nn.ModuleList([Halving(a, b) for a, b in zip(widths, widths[1:])])
        self.norm = nn.LayerNorm(widths[-1], eps=1e-6)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x):
        x = as_tokens(self.patch_embed.proj(x))
        for s, stage in enumerate(self.transformers):
            for block in stage.blocks:
                x = block(x)
            if s < len(self.pools):
                x = as_tokens(self.pools[s].conv(as_map(x)))
        return self.head(self.norm(x.mean(1)))
