#include "generator/units/result_writer.h"

#include <fmt/format.h>

#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {

vlog::Module EmitResultWriter() {
  vlog::Module m("eb_result_writer", "generator/units/result_writer.cc");
  m.Describe(R"(
eb_result_writer: writes the result record, one 32-bit word a transfer.

The entropy of a layer is written as it comes. At the end of the sentence the rest follows from
the last logit down to the marker in word 0, so that a marker in memory says that the record is
complete. Entropies that would reach the logits are left out.)");
  m.Param("AxiAddrW", "32", "bits of an address");
  m.Input("clk_i").Input("rst_ni").Input("clear_i").Input("base_i", "AxiAddrW");
  m.Group("Entropy of a 0-based layer, unsigned Q4.16");
  m.Input("entropy_valid_i").Output("entropy_ready_o").Input("entropy_i", "20");
  m.Input("layer_i", "16");
  m.Group("The rest of the record; inputs are stable until idle_o");
  m.Input("record_valid_i").Output("record_ready_o").Input("exit_layer_i", "16");
  m.Input("prediction_i", "8").Input("classes_i", "16");
  m.Group("Logits, signed Q10.16; granted when the registers do not read one");
  m.Output("logit_addr_o", "8").Input("logit_grant_i");
  m.InputSigned("logit_i", std::to_string(spec::kFixedBits));
  m.Group("AXI writer");
  m.Output("wr_valid_o").Input("wr_ready_i").Output("wr_addr_o", "AxiAddrW");
  m.Output("wr_data_o", "32");
  m.Group("Nothing left to write");
  m.Output("idle_o");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("MARKER", fmt::format("32'h{:08X}", spec::kResultMarker));
  m.Local("HEADER_WORDS", spec::kResultEntropyWord);
  m.Local("LOGITS_WORD", spec::kResultLogitsWord);
  m.Local("MAX_ENTROPIES", "LOGITS_WORD - HEADER_WORDS");
  m.Body(R"(
  reg [16:0] left_q;  // words of the record without entropies
  reg        wr_valid_q;
  reg [16:0] wr_word_q;
  reg [31:0] wr_data_q;

  wire active = (left_q != 17'd0);
  wire free   = (!wr_valid_q) || wr_ready_i;

  // Words of the header, then the logits.
  wire [16:0] word      = left_q - 17'd1;
  wire        is_header = (word < HEADER_WORDS);
  wire [7:0]  logit     = word[7:0] - HEADER_WORDS[7:0];
  reg  [31:0] record;

  always @* begin
    record = {{(32 - FIXED_W){logit_i[FIXED_W-1]}}, logit_i};
    if (is_header) begin
      case (word[1:0])
        2'd0:    record = MARKER;
        2'd1:    record = {16'd0, exit_layer_i};
        2'd2:    record = {24'd0, prediction_i};
        default: record = {16'd0, classes_i};
      endcase
    end
  end

  // The next word, when the one before is on its way.
  wire take_entropy = entropy_valid_i && entropy_ready_o;
  wire take_record  = record_valid_i && record_ready_o;
  wire take_word    = active && free && (is_header || logit_grant_i);

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q     <= 17'd0;
      wr_valid_q <= 1'b0;
    end else if (clear_i) begin
      left_q     <= 17'd0;
      wr_valid_q <= 1'b0;
    end else begin
      wr_valid_q <= (wr_valid_q && (!wr_ready_i)) || take_word ||
                    (take_entropy && (layer_i < MAX_ENTROPIES));
      if (take_record)    left_q <= HEADER_WORDS[16:0] + {1'b0, classes_i};
      else if (take_word) left_q <= word;
    end
  end

  always @(posedge clk_i) begin
    if (take_entropy) begin
      wr_word_q <= HEADER_WORDS[16:0] + {1'b0, layer_i};
      wr_data_q <= {12'd0, entropy_i};
    end else if (take_word) begin
      wr_word_q <= is_header ? word : word + MAX_ENTROPIES[16:0];
      wr_data_q <= record;
    end
  end

  assign entropy_ready_o = free && (!active);
  assign record_ready_o  = !active;
  assign logit_addr_o    = logit;
  assign wr_valid_o      = wr_valid_q;
  assign wr_addr_o       = base_i + {{(AxiAddrW - 19){1'b0}}, wr_word_q, 2'b00};
  assign wr_data_o       = wr_data_q;
  assign idle_o          = (!active) && (!wr_valid_q);
)");
  return m;
}

}  // namespace edgebert::gen
