//+------------------------------------------------------------------+
//|                                                         File.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_FILE_MQH
#define MT5MQTT_FILE_MQH
//--- how often a file is moved in the place of one that is being read
#define MQTT_FILE_TRIES 3
//+------------------------------------------------------------------+
//| Class CMqttFile.                                                 |
//| Appointment: a text below MQL5\Files that is read and written as |
//|              a whole: a terminal that is killed leaves the old   |
//|              one or the new one.                                 |
//+------------------------------------------------------------------+
class CMqttFile
  {
public:
   //--- exists: there is one; false if it can't be read
   static bool       Read(const string name,string &text,bool &exists);
   //--- is_flushed: it outlives a loss of power too, which takes some milliseconds
   static bool       Write(const string name,const string text,const bool is_flushed);
   //--- a text as a part of a file's name, in which @ and / set parts apart
   static string     Part(const string text);
  };
//+------------------------------------------------------------------+
//| Escapes what Windows has no files with, as a URL does            |
//+------------------------------------------------------------------+
string CMqttFile::Part(const string text)
  {
   string result="";
   for(int i=0; i<StringLen(text); i++)
     {
      string unit=StringSubstr(text,i,1);
      result+=(StringGetCharacter(text,i)<0x20 || StringFind("<>:\"/\\|?*%@",unit)>=0 ? StringFormat("%%%02X",StringGetCharacter(text,i)) : unit);
     }
   return(result);
  }
//+------------------------------------------------------------------+
//| All of it                                                        |
//+------------------------------------------------------------------+
bool CMqttFile::Read(const string name,string &text,bool &exists)
  {
   uchar bytes[];
   text="";
   exists=FileIsExist(name);
   if(!exists)
      return(true);
//--- a relaying master and the follower may read it at the same time
   int file=FileOpen(name,FILE_READ|FILE_BIN|FILE_SHARE_READ);
   if(file==INVALID_HANDLE)
      return(false);
   FileReadArray(file,bytes);
   FileClose(file);
   text=CharArrayToString(bytes,0,WHOLE_ARRAY,CP_UTF8);
   return(true);
  }
//+------------------------------------------------------------------+
//| Beside the old one, and then in its place. What is written goes  |
//| to a buffer first: that the disk had no room for it only the size|
//| of the file says                                                 |
//+------------------------------------------------------------------+
bool CMqttFile::Write(const string name,const string text,const bool is_flushed)
  {
   uchar bytes[];
   int   size=StringToCharArray(text,bytes,0,WHOLE_ARRAY,CP_UTF8)-1;
   int   file=FileOpen(name+".new",FILE_WRITE|FILE_BIN);
   if(file==INVALID_HANDLE)
      return(false);
   bool written=(FileWriteArray(file,bytes,0,size)==(uint)size);
   if(is_flushed)
      FileFlush(file);
   FileClose(file);
   written=(written && FileGetInteger(name+".new",FILE_SIZE)==size);
   bool moved=false;
//--- while another program reads the file, which takes less than a millisecond, nothing takes its place
   for(int i=0; i<MQTT_FILE_TRIES && written && !moved; i++)
     {
      if(i>0)
         Sleep(1);
      moved=FileMove(name+".new",0,name,FILE_REWRITE);
     }
   return(moved);
  }
#endif
//+------------------------------------------------------------------+
