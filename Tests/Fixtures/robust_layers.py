"""What the oracles of RVT and FAN share."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def as_map(tokens):
    """[batch, side * side, channels] to [batch, channels, side, side]."""
    side = math.isqrt(tokens.shape[1])
    return tokens.transpose(1, 2).unflatten(2, (side, side))


def as_tokens(maps):
    return maps.flatten(2).transpose(1, 2)


def split_heads(x, heads):
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def attend(q, k, v, heads, scale_by=None):
    """softmax(q kᵀ / √d ∘ scale_by) v, heads side by side."""
    q, k, v = (split_heads(x, heads) for x in (q, k, v))
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if scale_by is not None:
        scores = scores * scale_by
    return (scores.softmax(3) @ v).transpose(1, 2).flatten(2)


class FeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Projection(nn.Module):
    def __init__(self, proj):
        super().__init__()
        self.proj = proj
