#include "golden/reference/functions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "golden/base/check.h"

namespace edgebert::reference {

double Activate(checkpoint::Activation activation, double x) {
  switch (activation) {
    case checkpoint::Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
    case checkpoint::Activation::kGeluNew:
      return 0.5 * x *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case checkpoint::Activation::kRelu:
      return std::max(x, 0.0);
  }
  EB_CHECK(false, "activation {}", static_cast<int>(activation));
}

double SpanMask(double span, double ramp, double distance) {
  return std::clamp((ramp + span - distance) / ramp, 0.0, 1.0);
}

std::vector<double> MaskedSoftmax(std::span<const double> scores, std::span<const double> masks) {
  EB_CHECK(scores.size() == masks.size(), "{} scores, {} masks", scores.size(), masks.size());
  // Subtracting the largest visible score changes nothing but the range of the exponentials.
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t j = 0; j < scores.size(); ++j) {
    if (masks[j] > 0) largest = std::max(largest, scores[j]);
  }
  std::vector<double> weights(scores.size());
  for (size_t j = 0; j < scores.size(); ++j) {
    if (masks[j] > 0) weights[j] = masks[j] * std::exp(scores[j] - largest);
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  EB_CHECK(sum > 0, "no key is visible");
  for (double& weight : weights) weight /= sum;
  return weights;
}

std::vector<double> LayerNorm(std::span<const double> x, std::span<const double> gamma,
                              std::span<const double> beta, double epsilon) {
  EB_CHECK(x.size() == gamma.size() && x.size() == beta.size(), "{} values, {} gammas, {} betas",
           x.size(), gamma.size(), beta.size());
  const auto count = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / count;
  double variance = 0;
  for (const double value : x) variance += (value - mean) * (value - mean);
  variance /= count;
  const double scale = 1 / std::sqrt(variance + epsilon);
  std::vector<double> result(x.size());
  for (size_t i = 0; i < x.size(); ++i) result[i] = (x[i] - mean) * scale * gamma[i] + beta[i];
  return result;
}

double Entropy(std::span<const double> logits) {
  // Of x - max, which has the same entropy.
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  double weighted = 0;
  for (const double logit : logits) {
    const double x = logit - largest;
    sum += std::exp(x);
    weighted += x * std::exp(x);
  }
  return std::max(0.0, std::log(sum) - weighted / sum);
}

int Predict(std::span<const double> logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace edgebert::reference
