// Functions of DLLs, with the marshalling of the terminal.
#pragma once
#include "array.hpp"

void mql_not_in_indicator(const char *what);

// One imported function. The terminal binds all of them before OnInit(): what is missing keeps the program from starting.
class mql_import {
   const char *m_library,*m_name;
   void       *m_address=nullptr;
public:
   mql_import(const char *library,const char *name);
   const char *library() const { return m_library; }
   const char *name() const { return m_name; }
   void bind(void *address) { m_address=address; }
   template<class R,class... A> R call(A&&... arguments) const;
};

// string by value: the address of a copy that ends with a zero; NULL stays NULL, or is an empty text: no document says which.
bool mql_null_is_empty();
struct mql_string_copy {
   std::u16string units;
   bool null;
   explicit mql_string_copy(const string &text) : units(text.units()),null(text.is_null()) {}
   ~mql_string_copy() { std::fill(units.begin(),units.end(),u'\xDDDD'); }
   const char16_t *raw() { return null && !mql_null_is_empty() ? nullptr : units.c_str(); }
};
// An array: the bare address of its data, never its length.
template<class T> struct mql_array_address {
   T *data;
   T *raw() { return data; }
};
// A struct by reference, a number by value.
template<class T> struct mql_struct_address { T *object; T *raw() { return object; } };
template<class T> struct mql_number { T value; T raw() { return value; } };

template<class T> struct mql_is_array_ref : std::false_type {};
template<class T> struct mql_is_array_ref<mql_array_ref<T>> : std::true_type {};

template<class T> auto mql_marshal(T &value) {
   typedef std::remove_const_t<T> plain;
   if constexpr(std::is_arithmetic_v<plain> || std::is_enum_v<plain>) return mql_number<plain>{value};
   else if constexpr(std::is_same_v<plain,string>) return mql_string_copy(value);
   else if constexpr(mql_is_array_ref<plain>::value) {
      typedef std::remove_reference_t<decltype(*value.mql_data())> element;
      return mql_array_address<element>{value.mql_size()>0 ? value.mql_data() : (element*)mql_empty_array()};
   }
   else {
      static_assert(std::is_trivially_copyable_v<plain>,"a struct with strings, arrays or objects can't be passed to a DLL");
      return mql_struct_address<T>{&value};
   }
}

template<class R,class... M> R mql_invoke(void *address,M... holders) {
   typedef R function(decltype(holders.raw())...);
   return ((function*)address)(holders.raw()...);
}
template<class R,class... A> R mql_import::call(A&&... arguments) const {
   if(!m_address) throw mql_critical{"unresolved import function call"};
   if(strcmp(m_name,"mt5mqtt_wait")==0) mql_not_in_indicator("mt5mqtt_wait() in an indicator");
   return mql_invoke<R>(m_address,mql_marshal(arguments)...);
}
