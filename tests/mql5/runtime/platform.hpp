// What Linux and Windows do differently: modules, folders, the calendar.
#pragma once
#include <ctime>
#include <string>

// A program or a DLL; null, with what the system says, where it can't be loaded.
void *load_module(const std::string &path,std::string &error);
void *module_function(void *module,const char *name);
// Ends a module: first its globals, outside of any lock of the system's loader.
void  unload_module(void *module);

void  make_folder(const std::string &path);
bool  replace_file(const std::string &from,const std::string &to);

// UTC.
tm     calendar_of(time_t seconds);
time_t seconds_of(tm fields);
