#include "generator/units/secded_decoder.h"

#include <fmt/format.h>

#include <string>

#include "golden/spec/secded.h"

namespace edgebert::gen {
namespace {

constexpr int kMostHammingBits = spec::SecdedHammingBits(spec::kSecdedMostBits);

/// The data bits of check bit `check`, in hexadecimal.
std::string Members(int check) {
  std::string text;
  for (int digit = spec::kSecdedMostBits / 4 - 1; digit >= 0; --digit) {
    uint32_t nibble = 0;
    for (int i = 0; i < 4; ++i) {
      nibble |= (spec::kSecdedColumns[static_cast<size_t>(4 * digit + i)] >> check & 1) << i;
    }
    text += fmt::format("{:X}", nibble);
  }
  return text;
}

/// `localparam [1023:0] MEMBERS = {128'h..., 128'h...};`, a row a check bit.
std::string MemberTable() {
  std::string text = fmt::format(
      "\n  // Data bits that each check bit is the parity of, {} a check bit, check bit 0 last. A "
      "data bit\n  // is in two or more.\n  localparam [{}:0] MEMBERS = {{\n",
      spec::kSecdedMostBits, kMostHammingBits * spec::kSecdedMostBits - 1);
  for (int check = kMostHammingBits - 1; check >= 0; --check) {
    text +=
        fmt::format("    {}'h{}{}\n", spec::kSecdedMostBits, Members(check), check == 0 ? "" : ",");
  }
  return text + "  };\n";
}

}  // namespace

vlog::Module EmitSecdedDecoder() {
  vlog::Module m("eb_secded_decoder", "generator/units/secded_decoder.cc");
  m.Describe(R"(
eb_secded_decoder: corrects one wrong bit of a word, and detects two (extended Hamming code).

A word is data, check bits above, and the parity of all these on top. The syndrome of one wrong bit
is the set of check bits that it is in. Combinational.)");
  m.Param("DataBits", "64", "bits of data");
  m.Param("CheckBits", "8", "check bits and parity");
  m.Guard(fmt::format("DataBits >= 4 && DataBits <= {}", spec::kSecdedMostBits),
          "data_bits_must_be_4_to_128");
  m.Guard("(1 << (CheckBits - 1)) >= DataBits + CheckBits", "check_bits_must_tell_bits_apart");
  m.Guard(fmt::format("CheckBits <= {}", kMostHammingBits + 1), "check_bits_must_be_in_the_table");
  m.Input("word_i", "DataBits+CheckBits");
  m.Output("data_o", "DataBits");
  m.Group("One wrong bit, of data or check; more, so that the data mean nothing");
  m.Output("corrected_o").Output("uncorrectable_o");
  m.Local("MOST", spec::kSecdedMostBits);
  m.Local("HAMMING", "CheckBits - 1", "check bits without the parity");
  m.Body(MemberTable());
  m.Body(R"(
  wire [HAMMING-1:0]  syndrome;
  wire [DataBits-1:0] wrong;
  wire                odd = ^word_i;

  genvar check;
  genvar data;
  generate
    for (check = 0; check < HAMMING; check = check + 1) begin : g_check
      assign syndrome[check] =
          word_i[DataBits+check] ^
          (^(word_i[DataBits-1:0] & MEMBERS[MOST*check +: DataBits]));
    end
    for (data = 0; data < DataBits; data = data + 1) begin : g_data
      wire [HAMMING-1:0] column;
      for (check = 0; check < HAMMING; check = check + 1) begin : g_column
        assign column[check] = MEMBERS[MOST*check+data];
      end
      assign wrong[data] = odd && (syndrome == column);
    end
  endgenerate

  // A check bit, or the parity: at most one bit of the syndrome.
  wire is_check = (syndrome & (syndrome - 1'b1)) == {HAMMING{1'b0}};

  assign data_o          = word_i[DataBits-1:0] ^ wrong;
  assign corrected_o     = odd && (is_check || (|wrong));
  assign uncorrectable_o = odd ? !corrected_o : (|syndrome);
)");
  return m;
}

}  // namespace edgebert::gen
