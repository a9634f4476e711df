// Symbols and their prices.
#pragma once
#include "program.hpp"

#pragma pack(push,1)
struct MqlTick {
   datetime time; double bid,ask,last; ulong volume; mql_long time_msc; uint flags; double volume_real;
};
struct MqlRates {
   datetime time; double open,high,low,close; mql_long tick_volume; int spread; mql_long real_volume;
};
#pragma pack(pop)

#define TICK_FLAG_BID 2
#define TICK_FLAG_ASK 4

enum ENUM_SYMBOL_INFO_DOUBLE {
   SYMBOL_BID,SYMBOL_ASK,SYMBOL_POINT,SYMBOL_TRADE_TICK_SIZE,SYMBOL_TRADE_TICK_VALUE,SYMBOL_TRADE_CONTRACT_SIZE,
   SYMBOL_VOLUME_MIN,SYMBOL_VOLUME_MAX,SYMBOL_VOLUME_STEP,SYMBOL_VOLUME_LIMIT
};
enum ENUM_SYMBOL_INFO_INTEGER {
   SYMBOL_DIGITS,SYMBOL_SELECT,SYMBOL_VISIBLE,SYMBOL_SPREAD,SYMBOL_TRADE_STOPS_LEVEL,SYMBOL_TRADE_FREEZE_LEVEL,
   SYMBOL_FILLING_MODE,SYMBOL_EXPIRATION_MODE,SYMBOL_TRADE_MODE,SYMBOL_TRADE_EXEMODE,SYMBOL_ORDER_MODE,SYMBOL_TIME,SYMBOL_TIME_MSC,SYMBOL_CUSTOM,
   SYMBOL_EXIST
};
enum ENUM_SYMBOL_INFO_STRING { SYMBOL_CURRENCY_BASE,SYMBOL_CURRENCY_PROFIT,SYMBOL_DESCRIPTION,SYMBOL_PATH };

double   SymbolInfoDouble(const string &name,ENUM_SYMBOL_INFO_DOUBLE what);
bool     SymbolInfoDouble(const string &name,ENUM_SYMBOL_INFO_DOUBLE what,double &value);
mql_long SymbolInfoInteger(const string &name,ENUM_SYMBOL_INFO_INTEGER what);
bool     SymbolInfoInteger(const string &name,ENUM_SYMBOL_INFO_INTEGER what,mql_long &value);
string   SymbolInfoString(const string &name,ENUM_SYMBOL_INFO_STRING what);
bool     SymbolInfoTick(const string &name,MqlTick &tick);
bool     SymbolSelect(const string &name,bool select);
int      SymbolsTotal(bool selected);
string   SymbolName(int position,bool selected);
bool     SymbolExist(const string &name,bool &is_custom);
enum ENUM_DAY_OF_WEEK { SUNDAY,MONDAY,TUESDAY,WEDNESDAY,THURSDAY,FRIDAY,SATURDAY };
bool     SymbolInfoSessionTrade(const string &name,ENUM_DAY_OF_WEEK day,uint index,datetime &from,datetime &to);
int      CopyRates(const string &name,ENUM_TIMEFRAMES period,int start,int count,mql_array_ref<MqlRates> rates);
datetime iTime(const string &name,ENUM_TIMEFRAMES period,int shift);
int      PeriodSeconds(ENUM_TIMEFRAMES period=PERIOD_CURRENT);

// ---- custom symbols
enum {
   ERR_MARKET_UNKNOWN_SYMBOL=4301,ERR_MARKET_NOT_SELECTED=4302,ERR_CUSTOM_SYMBOL_WRONG_NAME=5301,ERR_CUSTOM_SYMBOL_NAME_LONG,
   ERR_CUSTOM_SYMBOL_PATH_LONG,ERR_CUSTOM_SYMBOL_EXIST,ERR_CUSTOM_SYMBOL_ERROR,ERR_CUSTOM_SYMBOL_SELECTED,
   ERR_CUSTOM_SYMBOL_PROPERTY_WRONG,ERR_CUSTOM_SYMBOL_PARAMETER_ERROR,ERR_CUSTOM_SYMBOL_PARAMETER_LONG,ERR_CUSTOM_TICKS_WRONG_ORDER
};
bool CustomSymbolCreate(const string &name,const string &path=u""_s,const string &origin=string());
bool CustomSymbolSetInteger(const string &name,ENUM_SYMBOL_INFO_INTEGER what,mql_long value);
bool CustomSymbolSetDouble(const string &name,ENUM_SYMBOL_INFO_DOUBLE what,double value);
bool CustomSymbolDelete(const string &name);
int  CustomTicksAdd(const string &name,mql_array_ref<const MqlTick> ticks,uint count=0xFFFFFFFF);
