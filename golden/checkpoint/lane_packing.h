// Reorders lanes so that the non-zero weights gather in few tiles. Tiles that are empty cost
// nothing: the weight stream leaves them out.
#pragma once

#include <span>
#include <vector>

namespace edgebert::checkpoint {

/// `touched[lane][tile]` says whether the lane has a non-zero weight in the tile, which it shares
/// with the other lanes of its vector. Returns an order of the lanes that touch anything, vector
/// after vector of `n`, with -1 for padding and at least one vector: the better of the lanes as
/// they are, and of a greedy order in which a vector begins with the lane that touches least and
/// takes those that add least to it.
std::vector<int> PackLanes(std::span<const std::vector<bool>> touched, int n);

}  // namespace edgebert::checkpoint
