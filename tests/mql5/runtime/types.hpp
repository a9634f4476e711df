// Numbers, NULL, object pointers and the dot.
#pragma once
#include <cfloat>
#include <climits>
#include <cstdint>
#include <type_traits>
#include <utility>

typedef int8_t   mql_char;
typedef uint8_t  uchar;
typedef uint16_t ushort;
typedef uint32_t uint;
typedef int64_t  mql_long;
typedef uint64_t ulong;
typedef int32_t  color;

#define EMPTY_VALUE 1.7976931348623157e+308
#define WHOLE_ARRAY (-1)
#define CP_ACP 0
#define CP_UTF8 65001

// What ends a program in the terminal: array out of range, invalid pointer access, zero divide.
struct mql_critical { const char *text; };

// datetime: seconds since 1970, a type of its own for Print() and overloads.
#pragma pack(push,1)
struct datetime {
   mql_long seconds;
   datetime() = default;
   constexpr datetime(mql_long value) : seconds(value) {}
   constexpr operator mql_long() const { return seconds; }
   datetime &operator+=(mql_long value) { seconds+=value; return *this; }
   datetime &operator-=(mql_long value) { seconds-=value; return *this; }
};
#pragma pack(pop)

template<class T> class mql_ptr;

struct mql_null_type {
   template<class T> operator mql_ptr<T>() const { return mql_ptr<T>(); }
};
inline constexpr mql_null_type mql_null{};

// Living objects made by new, so that a stale pointer is an error and not a fault.
uint64_t mql_object_made(void *object);
void     mql_object_gone(void *object);
bool     mql_object_lives(void *object,uint64_t generation);

enum ENUM_POINTER_TYPE { POINTER_INVALID, POINTER_DYNAMIC, POINTER_AUTOMATIC };

// An object pointer: checked at each use, as the terminal does.
template<class T> class mql_ptr {
   T       *m_object=nullptr;
   uint64_t m_generation=0;          // 0: an automatic object
   template<class U> friend class mql_ptr;
public:
   mql_ptr() = default;
   mql_ptr(T *object,uint64_t generation) : m_object(object),m_generation(generation) {}
   template<class U,class=std::enable_if_t<std::is_convertible_v<U*,T*>>>
   mql_ptr(const mql_ptr<U> &other) : m_object(other.m_object),m_generation(other.m_generation) {}
   ENUM_POINTER_TYPE type() const {
      if(!m_object) return POINTER_INVALID;
      if(m_generation==0) return POINTER_AUTOMATIC;
      return mql_object_lives(m_object,m_generation) ? POINTER_DYNAMIC : POINTER_INVALID;
   }
   T *get() const {
      if(type()==POINTER_INVALID) throw mql_critical{"invalid pointer access"};
      return m_object;
   }
   // A variable that is a pointer stands for the object where one is taken by reference; what a call or `new` gives is no
   // variable, as a reference wants it.
   operator T &() const & { return *get(); }
   operator T &() const && = delete;
   bool operator==(const mql_ptr &other) const { return m_object==other.m_object; }
   bool operator!=(const mql_ptr &other) const { return m_object!=other.m_object; }
   bool operator==(mql_null_type) const { return !m_object; }
   bool operator!=(mql_null_type) const { return m_object!=nullptr; }
};

template<class T,class... A> mql_ptr<T> mql_new(A&&... arguments) {
   T *object=new T(std::forward<A>(arguments)...);
   return mql_ptr<T>(object,mql_object_made(object));
}
template<class T> void mql_delete(const mql_ptr<T> &pointer) {
   if(pointer.type()==POINTER_AUTOMATIC) throw mql_critical{"delete of an object that new did not make"};
   if(pointer.type()==POINTER_INVALID) throw mql_critical{"delete of an invalid pointer"};
   T *object=pointer.get();
   mql_object_gone(object);
   delete object;
}
template<class T> mql_ptr<T> GetPointer(T &object) { return mql_ptr<T>(&object,0); }
template<class T> ENUM_POINTER_TYPE CheckPointer(const mql_ptr<T> &pointer) { return pointer.type(); }

// a.b: an object (also one just returned, or `this`), or a pointer.
template<class T> T *mql_dot(const mql_ptr<T> &pointer) { return pointer.get(); }
template<class T> T *mql_dot(mql_ptr<T> &pointer) { return pointer.get(); }
template<class T> T *mql_dot(mql_ptr<T> &&pointer) { return pointer.get(); }
template<class T> std::remove_reference_t<T> *mql_dot(T &&object) { return &object; }
