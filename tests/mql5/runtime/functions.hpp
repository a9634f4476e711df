// Standard functions that need no terminal: text, numbers, time.
#pragma once
#include "array.hpp"
#include <cmath>
#include <vector>

// One argument of Print() or StringFormat(), with the type that it has in MQL5.
struct mql_argument {
   enum { Int,UInt,Long,ULong,Double,Bool,Date,Text } type;
   mql_long number=0;
   double   real=0;
   string   text;

   mql_argument(bool value)     : type(Bool),number(value) {}
   mql_argument(mql_char value) : type(Int),number(value) {}
   mql_argument(uchar value)    : type(UInt),number(value) {}
   mql_argument(short value)    : type(Int),number(value) {}
   mql_argument(ushort value)   : type(UInt),number(value) {}
   mql_argument(int value)      : type(Int),number(value) {}
   mql_argument(uint value)     : type(UInt),number(value) {}
   mql_argument(mql_long value) : type(Long),number(value) {}
   mql_argument(ulong value)    : type(ULong),number((mql_long)value) {}
   mql_argument(double value)   : type(Double),real(value) {}
   mql_argument(float value)    : type(Double),real(value) {}
   mql_argument(datetime value) : type(Date),number(value.seconds) {}
   mql_argument(const string &value) : type(Text),text(value) {}
   template<class E,class=std::enable_if_t<std::is_enum_v<E>>>
   mql_argument(E value)        : type(Int),number((int)value) {}
};

string mql_format(const string &format,const std::vector<mql_argument> &arguments);
string mql_join(const std::vector<mql_argument> &arguments);
void   mql_print(const string &text);
void   mql_alert(const string &text);

template<class... A> string StringFormat(const string &format,const A&... arguments) {
   return mql_format(format,std::vector<mql_argument>{mql_argument(arguments)...});
}
template<class... A> void Print(const A&... arguments) { mql_print(mql_join({mql_argument(arguments)...})); }
template<class... A> void Alert(const A&... arguments) { mql_alert(mql_join({mql_argument(arguments)...})); }
template<class... A> void PrintFormat(const string &format,const A&... arguments) {
   mql_print(mql_format(format,std::vector<mql_argument>{mql_argument(arguments)...}));
}

// Text. Positions and lengths are in UTF-16 units.
inline int StringLen(const string &text) { return (int)text.units().size(); }
ushort     StringGetCharacter(const string &text,int position);
bool       StringSetCharacter(string &text,int position,ushort unit);
string     StringSubstr(const string &text,int start,int length=-1);
int        StringFind(const string &text,const string &wanted,int start=0);
int        StringReplace(string &text,const string &wanted,const string &replacement);
int        StringSplit(const string &text,ushort separator,mql_array_ref<string> parts);
int        StringTrimLeft(string &text);
int        StringTrimRight(string &text);
bool       StringToUpper(string &text);
bool       StringToLower(string &text);
int        StringCompare(const string &a,const string &b,bool case_sensitive=true);
string     ShortToString(ushort unit);
string     CharToString(uchar unit);
string     ShortArrayToString(mql_array_ref<const ushort> units,int start=0,int count=-1);
int        StringToShortArray(const string &text,mql_array_ref<ushort> units,int start=0,int count=-1);
string     CharArrayToString(mql_array_ref<const uchar> bytes,int start=0,int count=-1,uint codepage=CP_ACP);
int        StringToCharArray(const string &text,mql_array_ref<uchar> bytes,int start=0,int count=-1,uint codepage=CP_ACP);
string     DoubleToString(double value,int digits=8);
string     IntegerToString(mql_long value,int length=0,ushort fill=u' ');
double     StringToDouble(const string &text);
mql_long   StringToInteger(const string &text);

// Numbers. Both arguments of MathMax() and MathMin() are of the wider type.
template<class A,class B> std::common_type_t<A,B> MathMax(A a,B b) { return a>b ? a : b; }
template<class A,class B> std::common_type_t<A,B> MathMin(A a,B b) { return a<b ? a : b; }
// The reference has MathAbs() for double, the book for each type: no % of it, and no integer without a cast.
inline double MathAbs(double a) { return std::fabs(a); }
inline double MathFloor(double a) { return std::floor(a); }
inline double MathCeil(double a)  { return std::ceil(a); }
inline double MathRound(double a) { return std::round(a); }
inline double MathSqrt(double a)  { return std::sqrt(a); }
inline double MathPow(double a,double b) { return std::pow(a,b); }
inline double MathLog10(double a) { return std::log10(a); }
inline bool   MathIsValidNumber(double a) { return std::isfinite(a); }
double        NormalizeDouble(double value,int digits);
void          MathSrand(int seed);
int           MathRand();             // 0 to 32767

// Time.
#pragma pack(push,1)
struct MqlDateTime { int year,mon,day,hour,min,sec,day_of_week,day_of_year; };
#pragma pack(pop)
#define TIME_DATE 1
#define TIME_MINUTES 2
#define TIME_SECONDS 4
bool     TimeToStruct(datetime time,MqlDateTime &parts);
datetime StructToTime(const MqlDateTime &parts);
string   TimeToString(datetime time,int mode=TIME_DATE|TIME_MINUTES);
datetime StringToTime(const string &text);
