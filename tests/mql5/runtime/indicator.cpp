// Custom indicators, one thread each here; in a terminal all of a symbol share one.
#include "terminal.hpp"
#include <cstdio>

void mql_not_in_indicator(const char *what) {
   if(self && self->kind=="indicator") throw mql_critical{what};
}

bool SetIndexBuffer(int index,mql_array<double> &buffer,ENUM_INDEXBUFFER_TYPE) {
   if(self->kind!="indicator" || index!=(int)self->buffers.size()) return false;
   self->buffers.push_back(&buffer);
   return true;
}
bool PlotIndexSetDouble(int plot,ENUM_PLOT_PROPERTY_DOUBLE,double) { return plot<(int)self->buffers.size(); }
bool IndicatorSetString(ENUM_CUSTOMIND_PROPERTY_STRING,const string &text) {
   say(self->name,"short-name",mql_to_utf8(text));
   return true;
}
void ChartRedraw(mql_long) { say(self->name,"redraw",""); }

// The closes of the chart's bars; all is new after a change of the chart.
void calculate(Program &program) {
   if(!program.handlers.OnCalculate) return;
   mql_array<double> price;
   {
      std::lock_guard<std::recursive_mutex> guard(market.lock);
      const std::vector<MqlRates> &bars=market_symbol(Symbol()).bars;
      price.mql_resize((int)bars.size(),0);
      for(size_t i=0; i<bars.size(); i++) price[(mql_long)i]=bars[i].close;
   }
   if(price.mql_size()==0) return;
   for(mql_array<double> *buffer : program.buffers) buffer->mql_resize(price.mql_size(),0);
   program.calculated=program.handlers.OnCalculate(price.mql_size(),program.calculated,0,price);
}

// The first buffer, the oldest value first.
void show_buffer(Program &program) {
   std::string text;
   if(!program.buffers.empty()) {
      const mql_array<double> &buffer=*program.buffers[0];
      for(int i=0; i<buffer.mql_size(); i++) {
         char value[64];
         snprintf(value,sizeof value,"%g",buffer[i]);
         text+=(i>0 ? " " : "")+(buffer[i]==EMPTY_VALUE ? std::string("-") : std::string(value));
      }
   }
   say(program.name,"buffer",text);
}
