//+------------------------------------------------------------------+
//|                                                     Language.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- What the MQL5 reference says of the language, checked in the host.
#property version "1.00"
#include <Mt5Mqtt\Internal\Check.mqh>
input string InpText="a default";  // Text
input int    InpNumber=7;          // Number
input bool   InpSwitch=false;      // Switch
#define FOUR 4
#define NAME "name"
enum ENUM_SIDE
  {
   SIDE_BUY,
   SIDE_SELL=5,
   SIDE_NONE
  };
//--- packed: 1+4+8+3*2+8 bytes
struct Packed
  {
   uchar             kind;
   int               number;
   double            price;
   ushort            units[3];
   ENUM_SIDE         side;
   float             ratio;
  };
struct Record
  {
   string            name;
   int               values[];
   Packed            packed;
  };
class CAnimal
  {
protected:
   string            m_name;

public:
                     CAnimal(const string name) : m_name(name) { }
   virtual          ~CAnimal(void) { Print("gone: ",m_name); }
   virtual string    Sound(void) const { return("..."); }
   string            Name(void) const { return(m_name); }
   CAnimal          *Self(void) { return(GetPointer(this)); }
  };
class CDog : public CAnimal
  {
public:
                     CDog(const string name) : CAnimal(name) { }
   virtual string    Sound(void) const { return("wau"); }
   static int        Legs(void) { return(FOUR); }
  };
CMqttCheck ExtCheck;
//+------------------------------------------------------------------+
//| Uses what stands further down                                    |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   Strings();
   Arrays();
   Structs();
   Objects();
   Formats();
   Conversions();
   Terminal();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| string                                                           |
//+------------------------------------------------------------------+
void Strings(void)
  {
   string nothing;
   string empty="";
   ExtCheck.That(nothing==NULL,"a string without a value is NULL");
   ExtCheck.That(empty!=NULL,"the empty string is not NULL");
   ExtCheck.Equal(StringLen(nothing),0,"length of NULL");
   ExtCheck.Same(nothing+"a","a","NULL in a sum");
   string first="one";
   string second=first;
   second+="!";
   ExtCheck.Same(first,"one","strings are values");
   ExtCheck.Same(StringSubstr("abcdef",2,3),"cde","StringSubstr");
   ExtCheck.Same(StringSubstr("abcdef",4),"ef","StringSubstr to the end");
   ExtCheck.Same(StringSubstr("abc",3,1),"","StringSubstr behind the end");
   ExtCheck.Equal(StringFind("abcabc","c",3),5,"StringFind");
   ExtCheck.Equal(StringFind("abc","x"),-1,"StringFind of nothing");
   ExtCheck.Equal(StringGetCharacter("#a",0),'#',"StringGetCharacter");
   string text="a-b-c";
   ExtCheck.Equal(StringReplace(text,"-","+-"),2,"StringReplace");
   ExtCheck.Same(text,"a+-b+-c","text after StringReplace");
   string parts[];
   ExtCheck.Equal(StringSplit("x,,y",',',parts),3,"StringSplit");
   ExtCheck.Same(parts[0]+"|"+parts[1]+"|"+parts[2],"x||y","parts of StringSplit");
   text="  both \t";
   StringTrimLeft(text);
   StringTrimRight(text);
   ExtCheck.Same(text,"both","trimmed");
   ExtCheck.Equal(StringCompare("ABC","abc",false),0,"StringCompare without case");
   ExtCheck.Same(NAME+(string)FOUR+(string)true+(string)-1,"name4true-1","constants");
  }
//+------------------------------------------------------------------+
//| Fills an array of whatever size                                  |
//+------------------------------------------------------------------+
int Fill(int &values[],const int count)
  {
   int room=ArrayResize(values,count);
   for(int i=0; i<ArraySize(values); i++)
      values[i]=i;
   return(room);
  }
//+------------------------------------------------------------------+
//| Arrays                                                           |
//+------------------------------------------------------------------+
void Arrays(void)
  {
   int dynamic[];
   ExtCheck.Equal(ArraySize(dynamic),0,"a new array");
   ExtCheck.Equal(Fill(dynamic,3),3,"ArrayResize through a reference");
   ExtCheck.Equal(dynamic[2],2,"an element");
   int fixed[4];
   ExtCheck.Equal(Fill(fixed,9),-1,"ArrayResize of a fixed array");
   ExtCheck.Equal(ArraySize(fixed),4,"a fixed array");
   int listed[]={5,3,4};
   ExtCheck.That(!ArrayIsDynamic(listed),"a list of values fixes the size");
   ArraySort(listed);
   ExtCheck.Equal(listed[0]*100+listed[1]*10+listed[2],345,"ArraySort");
   ExtCheck.Equal(ArrayBsearch(listed,4),1,"ArrayBsearch");
   ExtCheck.That(listed[ArrayBsearch(listed,9)]!=9 && listed[ArrayBsearch(listed,1)]!=1,"ArrayBsearch of what isn't there");
   ExtCheck.Equal(ArrayCopy(dynamic,listed,2,1),2,"ArrayCopy lets a dynamic array grow");
   ExtCheck.Equal(ArraySize(dynamic),4,"size after ArrayCopy");
   ExtCheck.Equal(dynamic[3],5,"last element after ArrayCopy");
   ExtCheck.Equal(ArrayCopy(fixed,listed,3),1,"ArrayCopy fills a fixed array up");
   ArrayRemove(dynamic,0,2);
   ExtCheck.Equal(ArraySize(dynamic)*10+dynamic[0],24,"ArrayRemove");
   ArrayResize(dynamic,1);
   ArrayResize(dynamic,5);
   ExtCheck.Equal(dynamic[0],4,"what ArrayResize keeps");
   ArrayInitialize(dynamic,0);
   ExtCheck.Equal(dynamic[4],0,"ArrayInitialize");
   ArrayFree(dynamic);
   ExtCheck.Equal(ArraySize(dynamic),0,"ArrayFree");
   uchar bytes[];
   ExtCheck.Equal(StringToCharArray("a",bytes,0,WHOLE_ARRAY,CP_UTF8),2,"StringToCharArray counts the trailing zero");
   ExtCheck.Equal(ArraySize(bytes)*100+bytes[1],200,"StringToCharArray copies it");
   ExtCheck.Equal(StringToCharArray("",bytes,0,WHOLE_ARRAY,CP_UTF8),1,"of an empty text the zero only");
   ExtCheck.Equal(ArraySize(bytes),2,"an array doesn't shrink");
  }
//+------------------------------------------------------------------+
//| Structs                                                          |
//+------------------------------------------------------------------+
void Structs(void)
  {
   ExtCheck.Equal((int)sizeof(Packed),27,"packed size");
   Record first;
   ZeroMemory(first.packed);
   first.name="first";
   ArrayResize(first.values,2);
   first.values[1]=8;
   first.packed.units[2]=9;
   Record second=first;
   second.values[1]++;
   second.packed.units[2]++;
   ExtCheck.Equal(first.values[1]*10+first.packed.units[2],89,"a struct is copied whole");
   Record list[];
   ArrayResize(list,2);
   list[1]=second;
   ArrayResize(list,3);
   ExtCheck.Equal(list[1].values[1],9,"structs stay in an array that grows");
   ExtCheck.That(list[2].name==NULL,"strings of new elements are NULL");
   ZeroMemory(second.packed);
   ExtCheck.Equal(second.packed.units[2],0,"ZeroMemory");
  }
//+------------------------------------------------------------------+
//| An object by reference                                           |
//+------------------------------------------------------------------+
string Describe(const CAnimal &animal)
  {
   return(animal.Name()+" "+animal.Sound());
  }
//+------------------------------------------------------------------+
//| Objects and pointers                                             |
//+------------------------------------------------------------------+
void Objects(void)
  {
   CDog dog("Rex");
   ExtCheck.Same(Describe(dog),"Rex wau","a virtual method");
   CAnimal *pointer=GetPointer(dog);
   ExtCheck.Same(pointer.Sound(),"wau","the dot of a pointer");
   ExtCheck.That(CheckPointer(pointer)==POINTER_AUTOMATIC,"an automatic object");
   ExtCheck.Same(dog.Self().Name(),"Rex","a returned pointer");
   pointer=new CDog("Bello");
   ExtCheck.That(CheckPointer(pointer)==POINTER_DYNAMIC,"an object made by new");
   ExtCheck.Same(Describe(pointer),"Bello wau","a pointer where an object is taken");
   delete pointer;
   ExtCheck.That(CheckPointer(pointer)==POINTER_INVALID,"a deleted object");
   pointer=NULL;
   ExtCheck.That(pointer==NULL && CheckPointer(pointer)==POINTER_INVALID,"no object");
   CAnimal *pack[];
   ArrayResize(pack,2);
   for(int i=0; i<2; i++)
      pack[i]=new CDog("dog "+(string)i);
   ExtCheck.Same(pack[1].Name(),"dog 1","an array of pointers");
   for(int i=0; i<2; i++)
      delete pack[i];
   ExtCheck.Equal(CDog::Legs(),4,"a static method");
  }
//+------------------------------------------------------------------+
//| Formats                                                          |
//+------------------------------------------------------------------+
void Formats(void)
  {
   long big=9000000000;
   ExtCheck.Same(StringFormat("%05d|%-4s|%.2f|%%|%I64d|%02X",42,"ab",1.005,big,255),"00042|ab  |1.00|%|9000000000|FF","StringFormat");
   ExtCheck.Same(DoubleToString(1.5,3)+" "+IntegerToString(7,3,'0'),"1.500 007","numbers");
   ExtCheck.Same((string)0.1+" "+(string)100000.0,"0.1 100000","(string) of a double");
   ExtCheck.Same(EnumToString(SIDE_SELL),"SIDE_SELL","EnumToString");
   datetime time=86400*365+3661;
   ExtCheck.Same(TimeToString(time,TIME_DATE|TIME_SECONDS),"1971.01.01 01:01:01","TimeToString");
   ExtCheck.Equal(StringToTime("1971.01.01 01:01:01"),time,"StringToTime");
   MqlDateTime parts;
   TimeToStruct(time,parts);
   ExtCheck.Equal(parts.year*100+parts.mon,197101,"TimeToStruct");
   ExtCheck.Equal(StructToTime(parts),time,"StructToTime");
  }
//+------------------------------------------------------------------+
//| Conversions                                                      |
//+------------------------------------------------------------------+
void Conversions(void)
  {
   ExtCheck.Equal((uchar)300,44,"a cast cuts");
   ExtCheck.Equal((int)-1.9,-1,"a cast to int truncates");
   ExtCheck.Equal(StringToInteger("-12x"),-12,"StringToInteger");
   ExtCheck.Near(StringToDouble("1.25"),1.25,"StringToDouble");
   ExtCheck.Near(NormalizeDouble(1.23456,3),1.235,"NormalizeDouble");
   ExtCheck.Equal((int)(ENUM_SIDE)6,SIDE_NONE,"an enum is an int");
   ExtCheck.Equal(MathMax(3,5)*10+MathMin(3,5),53,"MathMax and MathMin");
   ExtCheck.Equal((int)MathRound(2.5)*10+(int)MathFloor(-1.5),28,"MathRound and MathFloor");
   long wide=0x7FFFFFFFFFFFFFFF;
   ExtCheck.That(wide>0 && (double)wide>9e18,"long has 64 bits");
  }
//+------------------------------------------------------------------+
//| What the terminal keeps                                          |
//+------------------------------------------------------------------+
void Terminal(void)
  {
   ExtCheck.Same(InpText,"given","an input");
   ExtCheck.Equal(InpNumber*2+InpSwitch,15,"inputs");
   ExtCheck.That(!EventSetMillisecondTimer(20),"no timer in a script");
   GlobalVariableSet("v",2.5);
   ExtCheck.Near(GlobalVariableGet("v"),2.5,"GlobalVariableGet");
   ExtCheck.That(GlobalVariableSetOnCondition("v",3,2.5) && !GlobalVariableSetOnCondition("v",4,2.5),"on condition");
   ExtCheck.That(GlobalVariableDel("v") && !GlobalVariableCheck("v"),"GlobalVariableDel");
   ulong before=GetMicrosecondCount();
   Sleep(15);
   ExtCheck.That(GetMicrosecondCount()-before>=15000,"Sleep");
   ExtCheck.Same(_Symbol,"EURUSD","_Symbol");
   ExtCheck.Equal(_Digits,5,"_Digits");
  }
//+------------------------------------------------------------------+
