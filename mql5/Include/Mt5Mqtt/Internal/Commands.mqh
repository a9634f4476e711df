//+------------------------------------------------------------------+
//|                                                     Commands.mqh |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
#ifndef MT5MQTT_COMMANDS_MQH
#define MT5MQTT_COMMANDS_MQH
#include "File.mqh"
#include "JsonReader.mqh"
#include "JsonWriter.mqh"
//--- so many of the last commands are remembered
#define MQTT_COMMANDS 64
//+------------------------------------------------------------------+
//| A command that has come                                          |
//+------------------------------------------------------------------+
struct MqttCommand
  {
   string            id;
   bool              is_finished;          // else the program ended in the midst of it
  };
//+------------------------------------------------------------------+
//| Class CMqttCommands.                                             |
//| Appointment: the ids of the last commands, also of those before  |
//|              a restart: one that its sender, or the Server, sends|
//|              again is not obeyed again. An id is on disk before  |
//|              its command is obeyed, and after it that it was.    |
//+------------------------------------------------------------------+
class CMqttCommands
  {
private:
   string            m_name;               // of the file
   MqttCommand       m_commands[];
   bool              m_is_unsaved;         // the file couldn't be written, and that was told

public:
                     CMqttCommands(void) : m_name(""),m_is_unsaved(false) { }
   void              Start(const string name);
   //--- a new one; false if there was one of that id. One without an id is always new
   bool              Begin(const string id,bool &was_finished);
   void              Finish(const string id);

private:
   int               Find(const string id) const;
   void              Add(const string id,const bool is_finished);
   bool              Load(void);
   void              Save(void);
  };
//+------------------------------------------------------------------+
//| What isn't known doesn't keep a close from being obeyed          |
//+------------------------------------------------------------------+
void CMqttCommands::Start(const string name)
  {
   m_name=name;
   m_is_unsaved=false;
   if(!Load())
      Print("the file ",m_name," can't be read: a command from before this start that comes again is obeyed again");
  }
//+------------------------------------------------------------------+
//| By its id, -1 if there is none                                   |
//+------------------------------------------------------------------+
int CMqttCommands::Find(const string id) const
  {
   for(int i=0; i<ArraySize(m_commands); i++)
      if(m_commands[i].id==id)
         return(i);
   return(-1);
  }
//+------------------------------------------------------------------+
//| The oldest is forgotten                                          |
//+------------------------------------------------------------------+
void CMqttCommands::Add(const string id,const bool is_finished)
  {
   if(ArraySize(m_commands)>=MQTT_COMMANDS)
      ArrayRemove(m_commands,0,ArraySize(m_commands)-MQTT_COMMANDS+1);
   int count=ArraySize(m_commands);
   ArrayResize(m_commands,count+1,MQTT_COMMANDS);
   m_commands[count].id=id;
   m_commands[count].is_finished=is_finished;
  }
//+------------------------------------------------------------------+
//| Before it is obeyed                                              |
//+------------------------------------------------------------------+
bool CMqttCommands::Begin(const string id,bool &was_finished)
  {
   int found=Find(id);
   was_finished=(found>=0 && m_commands[found].is_finished);
   if(id=="")
      return(true);
   if(found>=0)
      return(false);
   Add(id,false);
   Save();
   return(true);
  }
//+------------------------------------------------------------------+
//| After it was obeyed                                              |
//+------------------------------------------------------------------+
void CMqttCommands::Finish(const string id)
  {
   int found=Find(id);
   if(found<0)
      return;
   m_commands[found].is_finished=true;
   Save();
  }
//+------------------------------------------------------------------+
//| Those of a program before                                        |
//+------------------------------------------------------------------+
bool CMqttCommands::Load(void)
  {
   CMqttJsonReader json;
   string          text="";
   bool            exists=false;
   ArrayResize(m_commands,0);
   if(!CMqttFile::Read(m_name,text,exists))
      return(false);
   if(!exists)
      return(true);
   if(!json.Parse(text))
      return(false);
   for(int node=json.Child(json.Member(0,"commands")); node>=0; node=json.Next(node))
     {
      MqttCommand command;
      if(!json.String(node,"id",command.id) || !json.Boolean(node,"finished",command.is_finished))
         return(false);
      Add(command.id,command.is_finished);
     }
   return(true);
  }
//+------------------------------------------------------------------+
//| All of them                                                      |
//+------------------------------------------------------------------+
void CMqttCommands::Save(void)
  {
   CMqttJsonWriter json;
   json.BeginObject();
   json.BeginArray("commands");
   for(int i=0; i<ArraySize(m_commands); i++)
     {
      json.BeginObject();
      json.StringField("id",m_commands[i].id);
      json.BooleanField("finished",m_commands[i].is_finished);
      json.EndObject();
     }
   json.EndArray();
   json.EndObject();
   bool is_saved=CMqttFile::Write(m_name,json.Text(),true);
   if(!is_saved && !m_is_unsaved)
      Print("the file ",m_name," can't be written: after a restart a command that comes again is obeyed again");
   m_is_unsaved=!is_saved;
  }
#endif
//+------------------------------------------------------------------+
