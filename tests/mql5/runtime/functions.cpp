// Standard functions that need no terminal.
#include "functions.hpp"
#include "platform.hpp"
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

// ---- UTF-8 and UTF-16

string mql_from_utf8(const std::string &text) {
   std::u16string units;
   for(size_t i=0; i<text.size();) {
      unsigned char first=(unsigned char)text[i];
      int more=first<0x80 ? 0 : first>=0xF0 ? 3 : first>=0xE0 ? 2 : first>=0xC2 ? 1 : -1;
      uint32_t point=more<0 ? 0xFFFD : more==0 ? first : first & (0x3Fu>>more);
      size_t next=i+1;
      for(int k=0; k<more; k++,next++) {
         if(next>=text.size() || ((unsigned char)text[next] & 0xC0)!=0x80) { point=0xFFFD; break; }
         point=(point<<6) | ((unsigned char)text[next] & 0x3F);
      }
      i=next;
      if(point>0xFFFF) {
         units+=(char16_t)(0xD800+((point-0x10000)>>10));
         units+=(char16_t)(0xDC00+((point-0x10000) & 0x3FF));
      }
      else units+=(char16_t)point;
   }
   return string(units);
}

std::string mql_to_utf8(const string &text) {
   const std::u16string &units=text.units();
   std::string out;
   for(size_t i=0; i<units.size(); i++) {
      uint32_t point=units[i];
      bool pair=point>=0xD800 && point<0xDC00 && i+1<units.size() && units[i+1]>=0xDC00 && units[i+1]<0xE000;
      if(pair) point=0x10000+((point-0xD800)<<10)+(units[++i]-0xDC00u);
      else if(point>=0xD800 && point<0xE000) point=0xFFFD;
      if(point<0x80) out+=(char)point;
      else if(point<0x800) { out+=(char)(0xC0 | point>>6); out+=(char)(0x80 | (point & 0x3F)); }
      else if(point<0x10000) {
         out+=(char)(0xE0 | point>>12); out+=(char)(0x80 | (point>>6 & 0x3F)); out+=(char)(0x80 | (point & 0x3F));
      }
      else {
         out+=(char)(0xF0 | point>>18); out+=(char)(0x80 | (point>>12 & 0x3F));
         out+=(char)(0x80 | (point>>6 & 0x3F)); out+=(char)(0x80 | (point & 0x3F));
      }
   }
   return out;
}

// ---- numbers as text

template<class... A> static std::string printed(const char *format,A... arguments) {
   char buffer[512];
   int length=snprintf(buffer,sizeof buffer,format,arguments...);
   return std::string(buffer,(size_t)std::min(length,(int)sizeof buffer-1));
}

string mql_to_string(mql_long value) { return mql_from_utf8(printed("%" PRId64,value)); }
string mql_to_string(ulong value)    { return mql_from_utf8(printed("%" PRIu64,value)); }
string mql_to_string(double value)   { return mql_from_utf8(printed("%.16g",value)); }
string mql_to_string(bool value)     { return value ? u"true"_s : u"false"_s; }
string mql_to_string(datetime value) { return TimeToString(value,TIME_DATE|TIME_MINUTES|TIME_SECONDS); }

string mql_unknown_enumerator(const string &of,int value) { return of+u"::"_s+mql_to_string((mql_long)value); }

string DoubleToString(double value,int digits) {
   if(digits<0) return mql_from_utf8(printed("%.*e",-digits,value));
   return mql_from_utf8(printed("%.*f",std::min(digits,16),value));
}
string IntegerToString(mql_long value,int length,ushort fill) {
   std::u16string digits=mql_to_string(value).units();
   if((int)digits.size()<length) digits.insert(0,(size_t)length-digits.size(),(char16_t)fill);
   return string(digits);
}
double   StringToDouble(const string &text)  { return strtod(mql_to_utf8(text).c_str(),nullptr); }
mql_long StringToInteger(const string &text) { return strtoll(mql_to_utf8(text).c_str(),nullptr,10); }
double   NormalizeDouble(double value,int digits) {
   double factor=std::pow(10.0,digits);
   return std::round(value*factor)/factor;
}

static thread_local uint32_t random_state=1;
void MathSrand(int seed) { random_state=(uint32_t)seed; }
int  MathRand() {
   random_state=random_state*214013u+2531011u;
   return (int)(random_state>>16 & 0x7FFF);
}

// ---- formats

string mql_join(const std::vector<mql_argument> &arguments) {
   string text=u""_s;
   for(const mql_argument &argument : arguments) switch(argument.type) {
      case mql_argument::Double: text+=mql_to_string(argument.real); break;
      case mql_argument::Bool:   text+=mql_to_string(argument.number!=0); break;
      case mql_argument::Date:   text+=mql_to_string(datetime(argument.number)); break;
      case mql_argument::ULong:  text+=mql_to_string((ulong)argument.number); break;
      case mql_argument::Text:   text+=argument.text.is_null() ? u"(null)"_s : argument.text; break;
      default:                   text+=mql_to_string(argument.number); break;
   }
   return text;
}

// The argument must be of the type that the format says: the terminal prints garbage where it is not.
string mql_format(const string &format,const std::vector<mql_argument> &arguments) {
   std::string text=mql_to_utf8(format),out;
   size_t used=0;
   for(size_t i=0; i<text.size();) {
      if(text[i]!='%') { out+=text[i++]; continue; }
      if(i+1<text.size() && text[i+1]=='%') { out+='%'; i+=2; continue; }
      size_t end=text.find_first_not_of("-+ #0123456789.",i+1);
      if(end==std::string::npos) throw mql_critical{"a format ends within its %"};
      bool wide=text.compare(end,3,"I64")==0 || text.compare(end,2,"ll")==0;
      std::string flags=text.substr(i,end-i);
      if(wide) end+=text[end]=='I' ? 3 : 2;
      char conversion=end<text.size() ? text[end] : '?';
      i=end+1;
      if(used>=arguments.size()) throw mql_critical{"a format with more % than arguments"};
      const mql_argument &argument=arguments[used++];
      bool integer=argument.type<=mql_argument::ULong || argument.type==mql_argument::Bool || argument.type==mql_argument::Date;
      bool is_wide=argument.type==mql_argument::Long || argument.type==mql_argument::ULong || argument.type==mql_argument::Date;
      switch(conversion) {
         case 'd': case 'i': case 'u': case 'x': case 'X': case 'o':
            if(!integer) throw mql_critical{"a format wants an integer and gets something else"};
            if(is_wide!=wide) throw mql_critical{"a format wants %I64d for 8 bytes and %d for less"};
            if(!wide && conversion!='d' && conversion!='i')
               out+=printed((flags+conversion).c_str(),(unsigned)argument.number);
            else if(!wide) out+=printed((flags+conversion).c_str(),(int)argument.number);
            else out+=printed((flags+"ll"+conversion).c_str(),(long long)argument.number);
            break;
         case 'c':
            if(!integer || is_wide) throw mql_critical{"%c wants a character"};
            out+=mql_to_utf8(ShortToString((ushort)argument.number));
            break;
         case 'f': case 'e': case 'g': case 'E': case 'G':
            if(argument.type!=mql_argument::Double) throw mql_critical{"a format wants a double and gets something else"};
            out+=printed((flags+conversion).c_str(),argument.real);
            break;
         case 's':
            if(argument.type!=mql_argument::Text) throw mql_critical{"%s wants a string"};
            if(flags!="%") {
               std::string padded=mql_to_utf8(argument.text);
               out+=printed((flags+"s").c_str(),padded.c_str());
            }
            else out+=argument.text.is_null() ? "(null)" : mql_to_utf8(argument.text);
            break;
         default: throw mql_critical{"a format with an unknown conversion"};
      }
   }
   if(used!=arguments.size()) throw mql_critical{"a format with fewer % than arguments"};
   return mql_from_utf8(out);
}

// ---- text

ushort StringGetCharacter(const string &text,int position) {
   return position>=0 && position<StringLen(text) ? (ushort)text.units()[(size_t)position] : (ushort)0;
}
bool StringSetCharacter(string &text,int position,ushort unit) {
   if(position<0 || position>StringLen(text)) return false;
   if(unit==0) text.edit().resize((size_t)position);
   else if(position==StringLen(text)) text.edit()+=(char16_t)unit;
   else text.edit()[(size_t)position]=(char16_t)unit;
   return true;
}
string StringSubstr(const string &text,int start,int length) {
   if(start<0 || start>=StringLen(text) || length==0) return u""_s;
   return string(text.units().substr((size_t)start,length<0 ? std::u16string::npos : (size_t)length));
}
int StringFind(const string &text,const string &wanted,int start) {
   if(start<0 || start>StringLen(text)) return -1;
   size_t at=text.units().find(wanted.units(),(size_t)start);
   return at==std::u16string::npos ? -1 : (int)at;
}
int StringReplace(string &text,const string &wanted,const string &replacement) {
   if(StringLen(wanted)==0) return -1;
   int count=0;
   std::u16string &units=text.edit();
   for(size_t at=0; (at=units.find(wanted.units(),at))!=std::u16string::npos; at+=replacement.units().size(),count++)
      units.replace(at,wanted.units().size(),replacement.units());
   return count;
}
int StringSplit(const string &text,ushort separator,mql_array_ref<string> parts) {
   parts.mql_resize(0,0);
   if(StringLen(text)==0) return 0;
   size_t start=0;
   for(;;) {
      size_t end=text.units().find((char16_t)separator,start);
      int count=parts.mql_size();
      if(parts.mql_resize(count+1,0)<0) return -1;
      parts[count]=string(text.units().substr(start,end==std::u16string::npos ? end : end-start));
      if(end==std::u16string::npos) return count+1;
      start=end+1;
   }
}
static bool blank(char16_t unit) { return unit==u' ' || unit==u'\t' || unit==u'\r' || unit==u'\n'; }
int StringTrimLeft(string &text) {
   std::u16string &units=text.edit();
   size_t count=0;
   while(count<units.size() && blank(units[count])) count++;
   units.erase(0,count);
   return (int)count;
}
int StringTrimRight(string &text) {
   std::u16string &units=text.edit();
   int count=0;
   while(!units.empty() && blank(units.back())) { units.pop_back(); count++; }
   return count;
}
static char16_t lower(char16_t unit) { return unit>=u'A' && unit<=u'Z' ? (char16_t)(unit+32) : unit; }
static char16_t upper(char16_t unit) { return unit>=u'a' && unit<=u'z' ? (char16_t)(unit-32) : unit; }
bool StringToLower(string &text) { for(char16_t &unit : text.edit()) unit=lower(unit); return true; }
bool StringToUpper(string &text) { for(char16_t &unit : text.edit()) unit=upper(unit); return true; }
int  StringCompare(const string &a,const string &b,bool case_sensitive) {
   string left(a),right(b);
   if(!case_sensitive) { StringToLower(left); StringToLower(right); }
   int order=left.units().compare(right.units());
   return order<0 ? -1 : order>0 ? 1 : 0;
}
string ShortToString(ushort unit) { return string(std::u16string(1,(char16_t)unit)); }
string CharToString(uchar unit)   { return ShortToString(unit); }

// Both end at a zero and at `count`.
string ShortArrayToString(mql_array_ref<const ushort> units,int start,int count) {
   std::u16string text;
   for(int i=start; i<units.mql_size() && (count<0 || i-start<count) && units[i]!=0; i++) text+=(char16_t)units[i];
   return string(text);
}
string CharArrayToString(mql_array_ref<const uchar> bytes,int start,int count,uint codepage) {
   std::string text;
   for(int i=start; i<bytes.mql_size() && (count<0 || i-start<count) && bytes[i]!=0; i++) text+=(char)bytes[i];
   if(codepage!=CP_UTF8) throw mql_critical{"CharArrayToString() without CP_UTF8"};
   return mql_from_utf8(text);
}
template<class T,class S> static int copy_with_zero(const S &text,const mql_array_ref<T> &array,int start,int count) {
   int length=(int)text.size()+1;
   if(count>=0 && count<length) length=count;
   if(array.mql_size()<start+length && array.mql_resize(start+length,0)<0) length=array.mql_size()-start;
   for(int i=0; i<length; i++) array[start+i]=i<(int)text.size() ? (T)text[(size_t)i] : (T)0;
   return length;
}
int StringToShortArray(const string &text,mql_array_ref<ushort> units,int start,int count) {
   return text.is_null() ? 0 : copy_with_zero(text.units(),units,start,count);
}
// The whole text goes with its trailing zero; the array grows and never shrinks.
int StringToCharArray(const string &text,mql_array_ref<uchar> bytes,int start,int count,uint codepage) {
   if(codepage!=CP_UTF8) throw mql_critical{"StringToCharArray() without CP_UTF8"};
   return text.is_null() ? 0 : copy_with_zero(mql_to_utf8(text),bytes,start,count);
}

// ---- time

bool TimeToStruct(datetime time,MqlDateTime &parts) {
   tm fields=calendar_of((time_t)time.seconds);
   parts={fields.tm_year+1900,fields.tm_mon+1,fields.tm_mday,fields.tm_hour,fields.tm_min,fields.tm_sec,fields.tm_wday,fields.tm_yday};
   return true;
}
datetime StructToTime(const MqlDateTime &parts) {
   tm fields={};
   fields.tm_year=parts.year-1900; fields.tm_mon=parts.mon-1; fields.tm_mday=parts.day;
   fields.tm_hour=parts.hour; fields.tm_min=parts.min; fields.tm_sec=parts.sec;
   return datetime((mql_long)seconds_of(fields));
}
string TimeToString(datetime time,int mode) {
   MqlDateTime parts;
   TimeToStruct(time,parts);
   std::string text;
   if(mode & TIME_DATE) text+=printed("%04d.%02d.%02d",parts.year,parts.mon,parts.day);
   if(mode & (TIME_MINUTES|TIME_SECONDS)) {
      if(!text.empty()) text+=' ';
      text+=printed("%02d:%02d",parts.hour,parts.min);
      if(mode & TIME_SECONDS) text+=printed(":%02d",parts.sec);
   }
   return mql_from_utf8(text);
}
datetime StringToTime(const string &text) {
   MqlDateTime parts={1970,1,1,0,0,0,0,0};
   sscanf(mql_to_utf8(text).c_str(),"%d.%d.%d %d:%d:%d",&parts.year,&parts.mon,&parts.day,&parts.hour,&parts.min,&parts.sec);
   return StructToTime(parts);
}
