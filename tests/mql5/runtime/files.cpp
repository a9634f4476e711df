// Files below the folder that the command `files` names.
#include "platform.hpp"
#include "terminal.hpp"
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sys/stat.h>

static std::mutex files_lock;
struct OpenFile { FILE *file; std::string path; int flags; Program *owner; };
// As on Windows: each of those who have a file open must share what the others do with it, and nobody takes its place meanwhile.
static std::map<int,OpenFile> files;
static int last_file=0;

static std::string path_of(const string &name) {
   std::string path=mql_to_utf8(name);
   for(char &c : path) if(c=='\\') c='/';
   // A program can't leave its folder.
   if(path.find("..")!=std::string::npos || path.empty() || path[0]=='/') throw mql_critical{"a file outside of MQL5\\Files"};
   for(size_t slash=path.find('/'); slash!=std::string::npos; slash=path.find('/',slash+1))
      make_folder(terminal.files+"/"+path.substr(0,slash));
   return terminal.files+"/"+path;
}
static bool is_open(const std::string &path) {
   std::lock_guard<std::mutex> guard(files_lock);
   return std::any_of(files.begin(),files.end(),[&](const auto &open) { return open.second.path==path; });
}
// The terminal reads what it writes, so that writing takes a share of both.
static bool shares(int flags,int other) {
   int wanted=FILE_SHARE_READ|(other & FILE_WRITE ? FILE_SHARE_WRITE : 0);
   return (flags & wanted)==wanted;
}
static FILE *file_of(int file) {
   std::lock_guard<std::mutex> guard(files_lock);
   auto found=files.find(file);
   return found==files.end() ? nullptr : found->second.file;
}

bool mql_file_is_there(const string &name) {
   struct stat status;
   return stat(path_of(name).c_str(),&status)==0;
}
mql_long FileGetInteger(const string &name,ENUM_FILE_PROPERTY_INTEGER) {
   struct stat status;
   return stat(path_of(name).c_str(),&status)==0 ? (mql_long)status.st_size : -1;
}
int FileOpen(const string &name,int flags) {
   std::string path=path_of(name);
   std::lock_guard<std::mutex> guard(files_lock);
   bool taken=std::any_of(files.begin(),files.end(),[&](const auto &open) {
      return open.second.path==path && !(shares(flags,open.second.flags) && shares(open.second.flags,flags));
   });
   FILE *opened=taken ? nullptr : fopen(path.c_str(),flags & FILE_WRITE ? "wb" : "rb");
   if(!opened) { mql_set_error(5004); return INVALID_HANDLE; }
   files[++last_file]={opened,path,flags,self};
   return last_file;
}
void FileClose(int file) {
   FILE *opened=file_of(file);
   if(opened) fclose(opened);
   std::lock_guard<std::mutex> guard(files_lock);
   files.erase(file);
}
// What a program has left open when it ends.
void close_files(const Program *owner) {
   std::lock_guard<std::mutex> guard(files_lock);
   for(auto open=files.begin(); open!=files.end();) {
      if(open->second.owner==owner) { fclose(open->second.file); open=files.erase(open); }
      else ++open;
   }
}
void FileFlush(int file) { if(FILE *opened=file_of(file)) fflush(opened); }
// One star in the name of the file; what is found has no folder.
static std::map<mql_long,std::vector<std::string>> searches;
mql_long FileFindFirst(const string &filter,string &found) {
   std::string path=path_of(filter);
   size_t slash=path.rfind('/'),star=path.find('*');
   std::string start=path.substr(slash+1,star-slash-1),end=path.substr(star+1);
   std::vector<std::string> names;
   for(const auto &entry : std::filesystem::directory_iterator(path.substr(0,slash))) {
      std::string name=entry.path().filename().string();
      bool fits=name.size()>=start.size()+end.size() && name.compare(0,start.size(),start)==0 &&
                name.compare(name.size()-end.size(),end.size(),end)==0;
      if(fits) names.push_back(name);
   }
   if(names.empty()) return INVALID_HANDLE;
   std::lock_guard<std::mutex> guard(files_lock);
   searches[++last_file]=names;
   found=mql_from_utf8(names[0]);
   return last_file;
}
bool FileFindNext(mql_long search,string &found) {
   std::lock_guard<std::mutex> guard(files_lock);
   std::vector<std::string> &names=searches[search];
   if(names.size()<2) return false;
   names.erase(names.begin());
   found=mql_from_utf8(names[0]);
   return true;
}
void FileFindClose(mql_long search) {
   std::lock_guard<std::mutex> guard(files_lock);
   searches.erase(search);
}
bool FileDelete(const string &name) { return remove(path_of(name).c_str())==0; }
bool FileMove(const string &from,int,const string &to,int flags) {
   if(mql_file_is_there(to) && !(flags & FILE_REWRITE)) return false;
   return !is_open(path_of(from)) && !is_open(path_of(to)) && replace_file(path_of(from),path_of(to));
}
uint mql_file_read(int file,std::string &bytes) {
   FILE *opened=file_of(file);
   char buffer[4096];
   while(opened) {
      size_t size=fread(buffer,1,sizeof buffer,opened);
      if(size==0) break;
      bytes.append(buffer,size);
   }
   return (uint)bytes.size();
}
uint mql_file_write(int file,const void *bytes,size_t size) {
   FILE *opened=file_of(file);
   if(!opened) return 0;
   // There is room in the buffer, and nobody is told what becomes of that.
   return terminal.is_disk_full ? (uint)size : (uint)fwrite(bytes,1,size,opened);
}
