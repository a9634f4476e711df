//+------------------------------------------------------------------+
//|                                                      Symbols.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COPIER_SYMBOLS_MQH
#define MT5MQTT_COPIER_SYMBOLS_MQH
#include "Rules.mqh"
//+------------------------------------------------------------------+
//| Class CCopierSymbols.                                            |
//| Appointment: which of the follower's symbols stands for one of   |
//|              the master's. Nothing here asks the terminal.       |
//+------------------------------------------------------------------+
class CCopierSymbols
  {
public:
   //--- index of the follower's symbol, -1 if there is none or more than one
   static int        Of(const CopierRules &rules,const string master,const CopierSymbol &symbols[]);
   static int        Find(const string name,const CopierSymbol &symbols[]);

private:
   static string     Mapped(const CopierRules &rules,const string master,bool &is_mapped);
   static bool       IsLetterOrDigit(const int unit);
  };
//+------------------------------------------------------------------+
//| The follower's name by the map; an entry is binding              |
//+------------------------------------------------------------------+
string CCopierSymbols::Mapped(const CopierRules &rules,const string master,bool &is_mapped)
  {
   string entries[];
   int    count=StringSplit(rules.map,',',entries);
   is_mapped=false;
   for(int i=0; i<count; i++)
     {
      string sides[];
      if(StringSplit(entries[i],'=',sides)!=2)
         continue;
      StringTrimLeft(sides[0]);
      StringTrimRight(sides[0]);
      StringTrimLeft(sides[1]);
      StringTrimRight(sides[1]);
      if(sides[0]==master)
        {
         is_mapped=true;
         return(sides[1]);
        }
     }
   return("");
  }
//+------------------------------------------------------------------+
//| By name                                                          |
//+------------------------------------------------------------------+
int CCopierSymbols::Find(const string name,const CopierSymbol &symbols[])
  {
   for(int i=0; i<ArraySize(symbols); i++)
      if(symbols[i].name==name)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| The map; else the name with suffixes changed; else the only      |
//| symbol that is it with a suffix: US500 is neither US5000 nor     |
//| US500X                                                           |
//+------------------------------------------------------------------+
int CCopierSymbols::Of(const CopierRules &rules,const string master,const CopierSymbol &symbols[])
  {
   bool   is_mapped=false;
   string name=Mapped(rules,master,is_mapped);
   if(is_mapped)
      return(Find(name,symbols));
   name=master;
   int length=StringLen(rules.master_suffix);
   int start=StringLen(name)-length;
   if(length>0 && start>0 && StringSubstr(name,start)==rules.master_suffix)
      name=StringSubstr(name,0,start);
   int found=Find(name+rules.suffix,symbols);
   if(found>=0 || rules.suffix!="")
      return(found);
   for(int i=0; i<ArraySize(symbols); i++)
      if(StringFind(symbols[i].name,name)==0 && !IsLetterOrDigit(StringGetCharacter(symbols[i].name,StringLen(name))))
        {
         if(found>=0)
            return(-1);
         found=i;
        }
   return(found);
  }
//+------------------------------------------------------------------+
//| As names of symbols are made of: capitals and digits             |
//+------------------------------------------------------------------+
bool CCopierSymbols::IsLetterOrDigit(const int unit)
  {
   return((unit>='A' && unit<='Z') || (unit>='0' && unit<='9'));
  }
#endif
//+------------------------------------------------------------------+
