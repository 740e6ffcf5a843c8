// The functions of the papers, in double precision: what every fixed-point unit is compared with.
#pragma once

#include <span>
#include <vector>

#include "golden/checkpoint/model_config.h"

namespace edgebert::reference {

/// The non-linearity of the feed-forward network (Hendrycks & Gimpel 2016 for both GELUs).
double Activate(checkpoint::Activation activation, double x);

/// m(x) = clamp((R + z - x) / R, 0, 1) of a learnt span z and a ramp R, at a distance x >= 0, all
/// in tokens (Sukhbaatar et al. 2019, section 3.1).
double SpanMask(double span, double ramp, double distance);

/// a_j = m_j e^(s_j) / sum_k m_k e^(s_k) (Sukhbaatar et al. 2019, equation 5). At least one mask is
/// positive.
std::vector<double> MaskedSoftmax(std::span<const double> scores, std::span<const double> masks);

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the biased variance (Ba et al. 2016).
std::vector<double> LayerNorm(std::span<const double> x, std::span<const double> gamma,
                              std::span<const double> beta, double epsilon);

/// H = ln(sum e^x) - sum(x e^x) / sum e^x of logits x, in nats, never below 0 (Xin et al. 2020,
/// DeeBERT, section 3.2).
double Entropy(std::span<const double> logits);

/// Index of the largest logit, the lowest on a tie.
int Predict(std::span<const double> logits);

}  // namespace edgebert::reference
