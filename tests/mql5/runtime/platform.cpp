#include "platform.hpp"
#include <cstdio>
#include <sys/stat.h>

#ifdef _WIN32
#include <windows.h>

void *load_module(const std::string &path,std::string &error) {
   std::string windows(path);
   for(char &c : windows) if(c=='/') c='\\';
   void *module=(void*)LoadLibraryA(windows.c_str());
   if(!module) error="["+std::to_string(GetLastError())+"]";
   return module;
}
void *module_function(void *module,const char *name) { return (void*)GetProcAddress((HMODULE)module,name); }
void unload_module(void *module) {
   // A DLL's globals end within FreeLibrary(), which holds the loader's lock, and a global that waits for a thread to end
   // would wait for ever. The terminal ends a program's globals outside of it.
   if(void *end=module_function(module,"mql_program_end")) ((void (*)())end)();
   FreeLibrary((HMODULE)module);
}
void make_folder(const std::string &path) { CreateDirectoryA(path.c_str(),nullptr); }
bool replace_file(const std::string &from,const std::string &to) {
   return MoveFileExA(from.c_str(),to.c_str(),MOVEFILE_REPLACE_EXISTING)!=0;
}
tm calendar_of(time_t seconds) {
   tm fields={};
   _gmtime64_s(&fields,&seconds);
   return fields;
}
time_t seconds_of(tm fields) { return _mkgmtime64(&fields); }

#else
#include <dlfcn.h>

void *load_module(const std::string &path,std::string &error) {
   void *module=dlopen(path.c_str(),RTLD_NOW|RTLD_LOCAL);
   if(!module) error=dlerror();
   return module;
}
void *module_function(void *module,const char *name) { return dlsym(module,name); }
void  unload_module(void *module) { dlclose(module); }
void  make_folder(const std::string &path) { mkdir(path.c_str(),0700); }
bool  replace_file(const std::string &from,const std::string &to) { return rename(from.c_str(),to.c_str())==0; }
tm calendar_of(time_t seconds) {
   tm fields={};
   gmtime_r(&seconds,&fields);
   return fields;
}
time_t seconds_of(tm fields) { return timegm(&fields); }
#endif
