//+------------------------------------------------------------------+
//|                                                  Marshalling.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- What a DLL gets of a program, by the rules of the terminal.
#property version "1.00"
#include <Mt5Mqtt\Internal\Check.mqh>
//--- Packed to 1 byte: 4+1+8+8+6
struct Parcel
  {
   int               size;
   uchar             flag;
   long              value;
   double            price;
   ushort            units[3];
  };
#import "probe.dll"
int    probe_text(string text);
int    probe_two_texts(int ahead,string first,long between,string second,int behind);
int    probe_increment(uchar &bytes[],int size);
int    probe_no_array(uchar &bytes[]);
int    probe_parcel(Parcel &parcel);
long   probe_parcels(Parcel &parcels[],int count);
int    probe_in_order(int a,long b,double c,uchar d,double e,int f,double g,long h,ushort i);
long   probe_long(long value);
ulong  probe_unsigned(ulong value);
double probe_half(double value);
void   probe_nothing(void);
#import
CMqttCheck ExtCheck;
//+------------------------------------------------------------------+
//| All checks                                                       |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   Texts();
   Arrays();
   Structs();
   Numbers();
   ExtCheck.Report();
  }
//+------------------------------------------------------------------+
//| UTF-16 that ends with a zero: a copy, which the DLL may change   |
//+------------------------------------------------------------------+
void Texts(void)
  {
   string text="price";
   ExtCheck.Equal(probe_text(text),5,"units of a text");
   ExtCheck.Same(text,"price","the DLL wrote into a copy");
   ExtCheck.Same("pri"+"ce","price","and into no literal");
   ExtCheck.Equal(probe_text("pri"+"ce"),5,"units of a sum of texts");
   ExtCheck.Equal(probe_text(""),0,"an empty text is no NULL");
   ExtCheck.Equal(probe_text(NULL),-1,"NULL is the address 0");
   string pair="";
   StringSetCharacter(pair,0,0xD83C);
   StringSetCharacter(pair,1,0xDF0D);
   ExtCheck.Equal(probe_text(pair),2,"a surrogate pair is two units");
   ExtCheck.Equal(probe_two_texts(7,"ab",9000000000,"abc",8),5,"two texts among numbers");
   ExtCheck.Equal(probe_two_texts(7,text,9000000000,text,8),10,"a copy for each parameter");
  }
//+------------------------------------------------------------------+
//| The bare address of the data                                     |
//+------------------------------------------------------------------+
void Arrays(void)
  {
   uchar dynamic[];
   uchar fixed[]={1,2,255};
   ArrayResize(dynamic,2,100);
   dynamic[0]=7;
   dynamic[1]=8;
   ExtCheck.Equal(probe_increment(dynamic,ArraySize(dynamic)),15,"the sum of a dynamic array");
   ExtCheck.Equal(dynamic[0]*10+dynamic[1],89,"the DLL wrote into the array itself");
   ExtCheck.Equal(probe_increment(fixed,ArraySize(fixed)),258,"the sum of an array of fixed size");
   ExtCheck.Equal(fixed[2],0,"which it changed, too");
   ByReference(dynamic);
   ExtCheck.Equal(dynamic[1],10,"an array by reference, passed on");
   ArrayFree(dynamic);
   ExtCheck.Equal(probe_no_array(dynamic),1,"of an empty array an address that nobody may read");
  }
//+------------------------------------------------------------------+
//| Passes an array on                                               |
//+------------------------------------------------------------------+
void ByReference(uchar &bytes[])
  {
   probe_increment(bytes,ArraySize(bytes));
  }
//+------------------------------------------------------------------+
//| The address of the bytes, without gaps                           |
//+------------------------------------------------------------------+
void Structs(void)
  {
   Parcel parcel;
   ZeroMemory(parcel);
   parcel.size=(int)sizeof(Parcel);
   parcel.flag=200;
   parcel.value=-9000000000;
   parcel.price=1.5;
   parcel.units[2]=65535;
   ExtCheck.Equal(probe_parcel(parcel),0,"each member is where the DLL looks for it");
   ExtCheck.Equal(parcel.value,-8999999999,"and it wrote into the struct itself");
   ExtCheck.Near(parcel.price,3,"a double in a struct");
   Parcel parcels[];
   ArrayResize(parcels,3);
   for(int i=0; i<3; i++)
     {
      parcels[i]=parcel;
      parcels[i].value=i+1;
     }
   ExtCheck.Equal(probe_parcels(parcels,3),321,"an array of structs, one behind the other");
  }
//+------------------------------------------------------------------+
//| By value, also beyond the registers                              |
//+------------------------------------------------------------------+
void Numbers(void)
  {
   long  low=-9223372036854775807;
   ulong high=0xFFFFFFFFFFFFFFFF;
   ExtCheck.Equal(probe_in_order(-1,-9000000000,0.5,255,-0.25,7,1e300,9000000000,65535),0,"nine numbers of every kind");
   ExtCheck.Equal(probe_long(low),low,"the widest long");
   ExtCheck.That(probe_unsigned(high)==high,"the widest ulong");
   ExtCheck.Near(probe_half(-3),-1.5,"a double comes back");
   probe_nothing();
   ExtCheck.Equal(probe_long(0),0,"a function without a result");
  }
//+------------------------------------------------------------------+
