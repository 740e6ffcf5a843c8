#include "generator/units/reram_macro.h"

namespace edgebert::gen {
namespace {

constexpr const char* kSource = "generator/units/reram_macro.cc";

void AddInterface(vlog::Module& m) {
  m.Param("WordBits", "64", "bits of a word, those of ECC too");
  m.Param("BitsPerCell", "2", "of the multi-level region, 1..3; the other region has 1");
  m.Param("ReadLatency", "4", "cycles from request to data, >= 1");
  m.Param("SlcWords", "64", "words of the single-level region");
  m.Param("MlcWords", "64", "words of the multi-level region");
  m.Guard("BitsPerCell >= 1 && BitsPerCell <= 3", "bits_per_cell_must_be_1_to_3");
  m.Guard("ReadLatency >= 1", "read_latency_must_be_at_least_1");
  m.Guard("SlcWords >= 1 && MlcWords >= 1", "regions_must_have_words");
}

void AddPorts(vlog::Module& m) {
  m.Input("clk_i").Input("rst_ni");
  m.Group("Requests: region and word");
  m.Input("rr_req_valid_i").Output("rr_req_ready_o");
  m.Input("rr_req_mlc_i").Input("rr_req_addr_i", "32");
  m.Group("Data, in the order of the requests");
  m.Output("rr_rsp_valid_o").Output("rr_rsp_data_o", "WordBits");
}

}  // namespace

vlog::Module EmitReramArrayMacro() {
  vlog::Module m("eb_reram_array_macro", kSource);
  m.Describe(R"(
eb_reram_array_macro: stands for a ReRAM macro. Replace this file by a wrapper of the macro.

As it is, it takes no request.)");
  AddInterface(m);
  AddPorts(m);
  m.Body(R"(
  assign rr_req_ready_o = 1'b0;
  assign rr_rsp_valid_o = 1'b0;
  assign rr_rsp_data_o  = {WordBits{1'b0}};

  wire unused_ok = &{1'b0, clk_i, rst_ni, rr_req_valid_i, rr_req_mlc_i, rr_req_addr_i};
)");
  return m;
}

vlog::Module EmitReramMacro() {
  vlog::Module m("eb_reram_macro", kSource);
  m.Describe(R"(
eb_reram_macro: the embedding memory, a single-level region (SLC) for index and masks and a
multi-level one (MLC) for codes.

A request a cycle; data ReadLatency cycles later. Outside its region a read gives zero. The
behavioural arrays slc_mem and mlc_mem have no write port: they are programmed before power-up, in a
simulation by the test bench.)");
  AddInterface(m);
  m.Param("Backend", "0", "0 and 1 behavioural; 2 macro");
  AddPorts(m);
  m.Local("SLC_ADDR_W", "(SlcWords > 1) ? $clog2(SlcWords) : 1");
  m.Local("MLC_ADDR_W", "(MlcWords > 1) ? $clog2(MlcWords) : 1");
  m.Uses(EmitReramArrayMacro());
  m.Body(R"(
  generate
    if (Backend == 2) begin : g_macro
      eb_reram_array_macro #(
        .WordBits    (WordBits),
        .BitsPerCell (BitsPerCell),
        .ReadLatency (ReadLatency),
        .SlcWords    (SlcWords),
        .MlcWords    (MlcWords)
      ) u_macro (
        .clk_i          (clk_i),
        .rst_ni         (rst_ni),
        .rr_req_valid_i (rr_req_valid_i),
        .rr_req_ready_o (rr_req_ready_o),
        .rr_req_mlc_i   (rr_req_mlc_i),
        .rr_req_addr_i  (rr_req_addr_i),
        .rr_rsp_valid_o (rr_rsp_valid_o),
        .rr_rsp_data_o  (rr_rsp_data_o)
      );
    end else begin : g_array
      reg  [WordBits-1:0]    slc_mem [0:SlcWords-1];
      reg  [WordBits-1:0]    mlc_mem [0:MlcWords-1];
      wire [SLC_ADDR_W-1:0]  slc_addr = rr_req_addr_i[SLC_ADDR_W-1:0];
      wire [MLC_ADDR_W-1:0]  mlc_addr = rr_req_addr_i[MLC_ADDR_W-1:0];
      wire                   writing  = 1'b0;  // the cells never change in operation

      always @(posedge clk_i) begin
        if (writing) begin
          slc_mem[slc_addr] <= {WordBits{1'b0}};
          mlc_mem[mlc_addr] <= {WordBits{1'b0}};
        end
      end

      reg [ReadLatency-1:0] valid_q;
      wire [ReadLatency:0]  valid = {valid_q, rr_req_valid_i};

      always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) valid_q <= {ReadLatency{1'b0}};
        else valid_q <= valid[ReadLatency-1:0];
      end

      genvar stage;
      for (stage = 0; stage < ReadLatency; stage = stage + 1) begin : g_stage
        reg [WordBits-1:0] data_q;
        if (stage == 0) begin : g_read
          always @(posedge clk_i) begin
            data_q <= {WordBits{1'b0}};
            if (rr_req_mlc_i && rr_req_addr_i < MlcWords) data_q <= mlc_mem[mlc_addr];
            if (!rr_req_mlc_i && rr_req_addr_i < SlcWords) data_q <= slc_mem[slc_addr];
          end
        end else begin : g_wait
          always @(posedge clk_i) data_q <= g_stage[stage-1].data_q;
        end
      end

      assign rr_req_ready_o = 1'b1;
      assign rr_rsp_valid_o = valid[ReadLatency];
      assign rr_rsp_data_o  = g_stage[ReadLatency-1].data_q;
    end
  endgenerate
)");
  return m;
}

}  // namespace edgebert::gen
