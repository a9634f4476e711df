//+------------------------------------------------------------------+
//|                                                     Critical.mq5 |
//|                              Copyright 2026, the mt5mqtt authors |
//+------------------------------------------------------------------+
//--- What ends a program in the terminal: one case each.
input int InpCase=0; // Case
class CThing
  {
public:
   int               m_value;
                     CThing(void) : m_value(1) { }
  };
//+------------------------------------------------------------------+
//| Runs the case                                                    |
//+------------------------------------------------------------------+
void OnStart(void)
  {
   int     values[];
   int     fixed[2];
   CThing  automatic;
   CThing *pointer=NULL;
   CThing *other;
   ArrayResize(values,2);
   fixed[0]=InpCase;
   switch(InpCase)
     {
      case 0:
         Print(values[InpCase+2]);
         break;
      case 1:
         Print(fixed[InpCase-2]);
         break;
      case 2:
         Print(pointer.m_value);
         break;
      case 3:
         pointer=new CThing;
         other=pointer;
         delete pointer;
         Print(other.m_value);
         break;
      case 4:
         pointer=GetPointer(automatic);
         delete pointer;
         break;
      case 5:
         Print(StringFormat("%d",(long)1));
         break;
      case 6:
         Print(StringFormat("%s",1));
         break;
      case 7:
         Print(StringFormat("%d %d",1));
         break;
     }
   Print("went on");
  }
//+------------------------------------------------------------------+
