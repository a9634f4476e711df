// Arrays: dynamic ones, ones of fixed size, and both as a parameter `T &name[]`.
#pragma once
#include "string.hpp"
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

// The address that a DLL gets for an empty array: NULL or a dangling one, as the terminal's set-up says.
void *mql_empty_array();

template<class T> inline T &mql_element(T *data,int size,mql_long index) {
   if(index<0 || index>=size) throw mql_critical{"array out of range"};
   return data[index];
}

template<class T> class mql_array {
   std::unique_ptr<T[]> m_data;
   int m_size=0,m_reserved=0;
public:
   typedef T element;
   mql_array() = default;
   mql_array(const mql_array &other) { *this=other; }
   mql_array &operator=(const mql_array &other) {
      if(this==&other) return *this;
      mql_resize(other.m_size,0);
      std::copy(other.m_data.get(),other.m_data.get()+m_size,m_data.get());
      return *this;
   }
   int      mql_size() const { return m_size; }
   T       *mql_data()       { return m_data.get(); }
   const T *mql_data() const { return m_data.get(); }
   bool     mql_dynamic() const { return true; }
   int      mql_resize(int size,int reserve) {
      if(size<0) return -1;
      if(size>m_reserved) {
         int room=size+std::max(reserve,0);
         std::unique_ptr<T[]> data(new T[(size_t)room]());
         for(int i=0; i<m_size; i++) data[i]=std::move(m_data[i]);
         m_data=std::move(data);
         m_reserved=room;
      }
      for(int i=m_size; i<size; i++) {
         // MQL5 leaves numbers as they happen to be: no program may rely on zeros.
         if constexpr(std::is_trivially_copyable_v<T>) memset((void*)&m_data[i],0xCD,sizeof(T));
      }
      if constexpr(!std::is_trivially_copyable_v<T> && std::is_copy_assignable_v<T>)
         for(int i=size; i<m_size; i++) m_data[i]=T();
      m_size=size;
      return size;
   }
   void mql_free() { m_data.reset(); m_size=m_reserved=0; }
   T       &operator[](mql_long index)       { return mql_element(m_data.get(),m_size,index); }
   const T &operator[](mql_long index) const { return mql_element((const T*)m_data.get(),m_size,index); }
};

// Bare storage, for structs.
template<class T,int N> class mql_fixed {
public:
   T m_data[N];
   typedef T element;
   int      mql_size() const { return N; }
   T       *mql_data()       { return m_data; }
   const T *mql_data() const { return m_data; }
   bool     mql_dynamic() const { return false; }
   int      mql_resize(int,int) { return -1; }
   void     mql_free() {}
   T       &operator[](mql_long index)       { return mql_element(m_data,N,index); }
   const T &operator[](mql_long index) const { return mql_element((const T*)m_data,N,index); }
};

template<class T> class mql_array_ref {
   typedef std::remove_const_t<T> U;
   typedef std::conditional_t<std::is_const_v<T>,const mql_array<U>,mql_array<U>> dynamic;
   dynamic *m_dynamic=nullptr;
   T       *m_fixed=nullptr;
   int      m_size=0;
   template<class V> friend class mql_array_ref;
public:
   typedef T element;
   mql_array_ref(dynamic &array) : m_dynamic(&array) {}
   template<int N> mql_array_ref(mql_fixed<U,N> &array) : m_fixed(array.m_data),m_size(N) {}
   template<int N,class V=T,class=std::enable_if_t<std::is_const_v<V>>>
   mql_array_ref(const mql_fixed<U,N> &array) : m_fixed(array.m_data),m_size(N) {}
   template<class V=T,class=std::enable_if_t<std::is_const_v<V>>>
   mql_array_ref(const mql_array_ref<U> &other) : m_dynamic(other.m_dynamic),m_fixed(other.m_fixed),m_size(other.m_size) {}
   mql_array_ref(const mql_array_ref &) = default;
   // Arrays are copied by ArrayCopy() only.
   mql_array_ref &operator=(const mql_array_ref &) = delete;

   int  mql_size() const { return m_dynamic ? m_dynamic->mql_size() : m_size; }
   T   *mql_data() const { return m_dynamic ? m_dynamic->mql_data() : m_fixed; }
   bool mql_dynamic() const { return m_dynamic!=nullptr; }
   int  mql_resize(int size,int reserve) const { return m_dynamic ? m_dynamic->mql_resize(size,reserve) : -1; }
   void mql_free() const { if(m_dynamic) m_dynamic->mql_free(); }
   T   &operator[](mql_long index) const { return mql_element(mql_data(),mql_size(),index); }
};

// What may stand on the left of an assignment: no array.
template<class T> struct mql_type {};
template<class T> void mql_assignable(mql_type<T>) {}
template<class T> void mql_assignable(mql_type<mql_array<T>&>) = delete;
template<class T,int N> void mql_assignable(mql_type<mql_fixed<T,N>&>) = delete;

template<class A> int  ArraySize(const A &array) { return array.mql_size(); }
template<class A> int  ArrayResize(A &&array,int size,int reserve=0) { return array.mql_resize(size,reserve); }
template<class A> void ArrayFree(A &&array) { array.mql_free(); }
// MetaEditor warns where a fixed array would be resized or freed, and nothing happens to it.
template<class T,int N> int  ArrayResize(mql_fixed<T,N>&,int,int=0) = delete;
template<class T,int N> void ArrayFree(mql_fixed<T,N>&) = delete;
template<class A> bool ArrayIsDynamic(const A &array) { return array.mql_dynamic(); }
template<class A,class V> int ArrayInitialize(A &&array,V value) {
   std::fill(array.mql_data(),array.mql_data()+array.mql_size(),value);
   return array.mql_size();
}
template<class A,class V> void ArrayFill(A &&array,int start,int count,V value) {
   for(int i=0; i<count; i++) array[start+i]=value;
}
template<class D,class S> int ArrayCopy(D &&to,const S &from,int to_start=0,int from_start=0,int count=WHOLE_ARRAY) {
   typedef std::remove_const_t<std::remove_reference_t<decltype(*to.mql_data())>> element;
   static_assert(std::is_same_v<element,std::remove_const_t<std::remove_reference_t<decltype(*from.mql_data())>>>,
                 "ArrayCopy() between arrays of one type");
   int left=from.mql_size()-from_start;
   if(count<0 || count>left) count=left;
   if(count<=0 || from_start<0 || to_start<0) return 0;
   if(to_start+count>to.mql_size()) {
      if(to.mql_dynamic()) to.mql_resize(to_start+count,0);
      else count=to.mql_size()-to_start;
   }
   if(count<=0) return 0;
   if((const void*)to.mql_data()==(const void*)from.mql_data() && to_start>from_start)
      std::copy_backward(from.mql_data()+from_start,from.mql_data()+from_start+count,to.mql_data()+to_start+count);
   else
      std::copy(from.mql_data()+from_start,from.mql_data()+from_start+count,to.mql_data()+to_start);
   return count;
}
template<class A> bool ArrayRemove(A &&array,int start,int count=WHOLE_ARRAY) {
   int size=array.mql_size();
   if(start<0 || start>=size) return false;
   if(count<0 || count>size-start) count=size-start;
   for(int i=start; i+count<size; i++) array[i]=array[i+count];
   return array.mql_resize(size-count,0)>=0;
}
// Of a sorted array; where the value isn't, the index of one beside its place.
template<class A,class V> int ArrayBsearch(const A &array,V value) {
   auto data=array.mql_data();
   int at=(int)(std::lower_bound(data,data+array.mql_size(),value)-data);
   return at<array.mql_size() ? at : array.mql_size()-1;
}
template<class A> bool ArraySort(A &&array) { std::sort(array.mql_data(),array.mql_data()+array.mql_size()); return true; }

template<class T> void ZeroMemory(T &value) {
   if constexpr(std::is_trivially_copyable_v<T>) memset((void*)&value,0,sizeof(T));
   else value=T{};
}
