using System.Buffers.Binary;
using System.Text;

namespace Lifeboat.Engine.Sources.Chroma;

/// <summary>
/// Reads the ids out of an <c>index_metadata.pickle</c>: the keys of the dictionary that stands under <c>id_to_label</c>, one after another. A pickle is a
/// program (Python's pickletools lists its instructions); this follows those that Chroma's have, and runs nothing.
/// </summary>
internal sealed class PickledIds(Stream stream)
{
    private const string IdMap = "id_to_label";
    private const int LongestText = 1 << 24;
    private readonly byte[] _buffer = new byte[8];
    private string? _text;

    private enum Token
    {
        Text,
        Number,
        EmptyMap,
        Mark,
        SetPair,
        SetPairs,
        Other,
        End,
    }

    /// <exception cref="InvalidDataException">It is none that Chroma wrote, or it is damaged.</exception>
    public IEnumerable<string> Read()
    {
        Token token = Next();
        for (bool named = false; !named || token != Token.EmptyMap; token = Next())
        {
            if (token == Token.End)
                throw new InvalidDataException($"there is no {IdMap} in it");
            named = token == Token.Text && _text == IdMap;
        }

        // Either "mark, id, number, id, number, …, set pairs", any number of times; or "id, number, set pair" for one alone.
        for (token = Next(); token is Token.Mark or Token.Text; token = Next())
        {
            if (token == Token.Text)
            {
                string id = _text!;
                if (Next() != Token.Number || Next() != Token.SetPair)
                    yield break; // it was the name of what comes after the dictionary
                yield return id;
                continue;
            }

            for (token = Next(); token != Token.SetPairs; token = Next())
            {
                string id = token == Token.Text ? _text! : throw new InvalidDataException("an id in it is no text");
                if (Next() != Token.Number)
                    throw new InvalidDataException("an id in it has no number");
                yield return id;
            }
        }
    }

    /// <summary>The next instruction that matters; where a text is remembered for later use does not.</summary>
    private Token Next()
    {
        for (; ; )
        {
            int code = stream.ReadByte();
            switch (code)
            {
                case 0x94: // MEMOIZE
                    continue;
                case 'q': // BINPUT
                    Take(1);
                    continue;
                case 'r': // LONG_BINPUT
                    Take(4);
                    continue;
                case 0x95: // FRAME
                    Take(8);
                    continue;
            }

            return Read(code);
        }
    }

    private Token Read(int code)
    {
        switch (code)
        {
            case 'X': // BINUNICODE
                return ReadText(Take(4));
            case 0x8C: // SHORT_BINUNICODE
                return ReadText(Take(1));
            case 'J' or 'K' or 'M': // BININT, BININT1, BININT2
                Take(code switch { 'J' => 4, 'K' => 1, _ => 2 });
                return Token.Number;
            case 0x8A: // LONG1
                ReadText(Take(1));
                return Token.Number;
            case '}':
                return Token.EmptyMap;
            case '(':
                return Token.Mark;
            case 's':
                return Token.SetPair;
            case 'u':
                return Token.SetPairs;
            case 0x80 or 'h': // PROTO, BINGET
                Take(1);
                return Token.Other;
            case 'j': // LONG_BINGET
                Take(4);
                return Token.Other;
            case 'c': // GLOBAL: two lines
                while (stream.ReadByte() is not ('\n' or -1))
                {
                }

                while (stream.ReadByte() is not ('\n' or -1))
                {
                }

                return Token.Other;
            case 'N' or 0x88 or 0x89 or ')' or 0x93 or 0x81: // NONE, NEWTRUE, NEWFALSE, EMPTY_TUPLE, STACK_GLOBAL, NEWOBJ
                return Token.Other;
            case '.' or -1:
                return Token.End;
            default:
                throw new InvalidDataException($"its instruction {code} is none that Chroma's have");
        }
    }

    private Token ReadText(long length)
    {
        byte[] bytes = new byte[length <= LongestText ? length : throw new InvalidDataException("a text in it is too long")];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw new InvalidDataException("it ends in the middle");
        _text = Encoding.UTF8.GetString(bytes);
        return Token.Text;
    }

    /// <summary>The next bytes as a number, the lowest first.</summary>
    private long Take(int bytes)
    {
        _buffer.AsSpan().Clear();
        return stream.ReadAtLeast(_buffer.AsSpan(0, bytes), bytes, throwOnEndOfStream: false) == bytes
            ? BinaryPrimitives.ReadInt64LittleEndian(_buffer)
            : throw new InvalidDataException("it ends in the middle");
    }
}
