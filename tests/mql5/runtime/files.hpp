// Files below MQL5\Files: what a program may reach.
#pragma once
#include "array.hpp"

#define INVALID_HANDLE (-1)
#define FILE_READ 1
#define FILE_WRITE 2
#define FILE_BIN 4
#define FILE_SHARE_READ 128
#define FILE_SHARE_WRITE 256
#define FILE_REWRITE 512
enum ENUM_FILE_PROPERTY_INTEGER { FILE_SIZE=6 };

bool mql_file_is_there(const string &name);
int  FileOpen(const string &name,int flags);
void FileClose(int file);
void FileFlush(int file);
bool FileDelete(const string &name);
mql_long FileFindFirst(const string &filter,string &found);
bool     FileFindNext(mql_long search,string &found);
void     FileFindClose(mql_long search);
mql_long FileGetInteger(const string &name,ENUM_FILE_PROPERTY_INTEGER what);
bool FileMove(const string &from,int common,const string &to,int flags);
uint mql_file_read(int file,std::string &bytes);
uint mql_file_write(int file,const void *bytes,size_t size);
inline bool FileIsExist(const string &name) { return mql_file_is_there(name); }

template<class A> uint FileReadArray(int file,A &&array) {
   std::string bytes;
   mql_file_read(file,bytes);
   array.mql_resize((int)bytes.size(),0);
   for(int i=0; i<(int)bytes.size(); i++) array[i]=(uchar)bytes[(size_t)i];
   return (uint)bytes.size();
}
template<class A> uint FileWriteArray(int file,const A &array,int start=0,int count=WHOLE_ARRAY) {
   if(count<0) count=array.mql_size()-start;
   return count<=0 ? 0 : mql_file_write(file,array.mql_data()+start,(size_t)count);
}
