// string: UTF-16, by value; NULL is not "".
#pragma once
#include "types.hpp"
#include <string>

class string;
string mql_to_string(mql_long value);
string mql_to_string(ulong value);
string mql_to_string(double value);
string mql_to_string(bool value);
string mql_to_string(datetime value);

class string {
   std::u16string m_units;
   bool           m_null;
public:
   string() : m_null(true) {}
   string(mql_null_type) : m_null(true) {}
   string(const char16_t *units,size_t size) : m_units(units,size),m_null(false) {}
   explicit string(std::u16string units) : m_units(std::move(units)),m_null(false) {}
   // (string)number
   template<class T,class=std::enable_if_t<std::is_arithmetic_v<T> || std::is_same_v<T,datetime>>>
   explicit string(T value) : string(convert(value)) {}

   bool                  is_null() const { return m_null; }
   const std::u16string &units() const   { return m_units; }
   std::u16string       &edit()          { m_null=false; return m_units; }

   string &operator+=(const string &other) { m_null=false; m_units+=other.m_units; return *this; }
   friend string operator+(const string &a,const string &b) { string sum(a); sum+=b; return sum; }
   friend bool operator==(const string &a,const string &b) { return a.m_null==b.m_null && a.m_units==b.m_units; }
   friend bool operator!=(const string &a,const string &b) { return !(a==b); }
   friend bool operator<(const string &a,const string &b)  { return a.m_units<b.m_units; }
   friend bool operator>(const string &a,const string &b)  { return b<a; }
   friend bool operator<=(const string &a,const string &b) { return !(b<a); }
   friend bool operator>=(const string &a,const string &b) { return !(a<b); }
private:
   template<class T> static string convert(T value) {
      if constexpr(std::is_same_v<T,bool> || std::is_same_v<T,datetime>) return mql_to_string(value);
      else if constexpr(std::is_floating_point_v<T>) return mql_to_string((double)value);
      else if constexpr(std::is_signed_v<T>) return mql_to_string((mql_long)value);
      else return mql_to_string((ulong)value);
   }
};

inline string operator""_s(const char16_t *units,size_t size) { return string(units,size); }
string mql_unknown_enumerator(const string &of,int value);
// Between the runtime's own UTF-8 and strings.
string      mql_from_utf8(const std::string &text);
std::string mql_to_utf8(const string &text);
