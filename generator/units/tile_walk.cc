#include "generator/units/tile_walk.h"

namespace edgebert::gen {

vlog::Module EmitTileWalk() {
  vlog::Module m("eb_tile_walk", "generator/units/tile_walk.cc");
  m.Describe(R"(
eb_tile_walk: goes through the tiles of rows, a tile a step, without a gap between rows.

The next row is taken in the cycle of the last tile's step, or while there is none.)");
  m.Param("TileW", "6", "bits of a tile's number");
  m.Param("ItemW", "16", "bits of what goes with a row");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Rows: first and last tile, and what goes with them.");
  m.Input("row_valid_i").Output("row_ready_o");
  m.Input("row_first_i", "TileW").Input("row_last_i", "TileW").Input("row_item_i", "ItemW");
  m.Group("Tiles.");
  m.Output("valid_o").Input("step_i", "", "takes the tile, if there is one");
  m.Output("tile_o", "TileW").Output("first_o").Output("last_o").Output("item_o", "ItemW");
  m.Body(R"(
  reg             valid_q;
  reg             first_q;
  reg [TileW-1:0] tile_q;
  reg [TileW-1:0] last_q;
  reg [ItemW-1:0] item_q;

  wire last = tile_q == last_q;
  wire take = row_valid_i && row_ready_o;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)          valid_q <= 1'b0;
    else if (clear_i)     valid_q <= 1'b0;
    else if (row_ready_o) valid_q <= row_valid_i;
  end

  always @(posedge clk_i) begin
    if (take) begin
      first_q <= 1'b1;
      tile_q  <= row_first_i;
      last_q  <= row_last_i;
      item_q  <= row_item_i;
    end else if (step_i) begin
      first_q <= 1'b0;
      tile_q  <= tile_q + {{(TileW-1){1'b0}}, 1'b1};
    end
  end

  assign row_ready_o = !valid_q || (step_i && last);
  assign valid_o     = valid_q;
  assign tile_o      = tile_q;
  assign first_o     = first_q;
  assign last_o      = last;
  assign item_o      = item_q;
)");
  return m;
}

}  // namespace edgebert::gen
