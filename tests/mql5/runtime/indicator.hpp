// Custom indicators: buffers that the terminal keeps as long as the chart, and what an indicator may not do.
#pragma once
#include "array.hpp"
#include "string.hpp"

enum ENUM_INDEXBUFFER_TYPE { INDICATOR_DATA,INDICATOR_COLOR_INDEX,INDICATOR_CALCULATIONS };
enum ENUM_PLOT_PROPERTY_DOUBLE { PLOT_EMPTY_VALUE=0 };
enum ENUM_CUSTOMIND_PROPERTY_STRING { INDICATOR_SHORTNAME=0 };

bool SetIndexBuffer(int index,mql_array<double> &buffer,ENUM_INDEXBUFFER_TYPE type);
bool PlotIndexSetDouble(int plot,ENUM_PLOT_PROPERTY_DOUBLE property,double value);
bool IndicatorSetString(ENUM_CUSTOMIND_PROPERTY_STRING property,const string &text);
void ChartRedraw(mql_long chart=0);
// An indicator shares its thread with its chart: `what` says what would hold it, or trades: it ends here.
void mql_not_in_indicator(const char *what);
